"""Where vectors are kept and searched: in memory, in Milvus Lite, on a Milvus server, in Zilliz Cloud.

Environment: ``WORDSTOCK_MILVUS_TOKEN`` is the token of a server, ``WORDSTOCK_MILVUS_TOKEN_FILE`` a file that holds it.
"""

from wordstock.stores.adding import AddReport
from wordstock.stores.indexing import IndexConfig
from wordstock.stores.memory import MemoryStore
from wordstock.stores.milvus import MilvusStore
from wordstock.stores.opening import open_store
from wordstock.stores.vector_store import VectorStore

__all__ = ["AddReport", "IndexConfig", "MemoryStore", "MilvusStore", "VectorStore", "open_store"]
