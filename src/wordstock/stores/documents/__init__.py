"""Files of documents to the passages that a store keeps."""

from wordstock.stores.documents.chunking import Chunk, ChunkSettings, chunk_text
from wordstock.stores.documents.document import Document, Passage, Section, passages
from wordstock.stores.documents.reading import ReadOptions, read_documents
from wordstock.stores.documents.sync import SyncReport, sync_files

__all__ = [
    "Chunk",
    "ChunkSettings",
    "Document",
    "Passage",
    "ReadOptions",
    "Section",
    "SyncReport",
    "chunk_text",
    "passages",
    "read_documents",
    "sync_files",
]
