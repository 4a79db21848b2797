"""Random models of every supported family, a few hundred kilobytes each, with tokenisers trained on a few lines."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "the bank by the river was flooded in spring",
    "she went to the bank to pay in a cheque",
    "unbelievable prices and unbanked customers",
    "naïve café owners don't open before noon",
    "東京 は 日本 の 首都 です",
    "a film that is not bad at all",
] * 4
FAMILIES = ("bert", "distilbert", "modernbert", "mpnet", "roberta", "xlm-roberta")
TEXTS = [
    "The bank by the river.",
    "a",
    "",
    "unbelievable naïve café owners don't  open, 東京 は 🙂 ok",
    " leading and trailing spaces ",
    "She went to the bank to pay in a cheque and the river was flooded; " * 6,
]

_SIZES = {"vocab_size": 400, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}


def build(kind: str, folder: Path, **changes: object) -> Path:
    """Write a model folder as ``save_pretrained`` does."""
    tokenizer = _tokenizer(kind)
    sizes = {**_SIZES, "vocab_size": tokenizer.get_vocab_size(), "num_hidden_layers": 3}
    pad = tokenizer.token_to_id("<pad>" if kind in ("roberta", "xlm-roberta", "mpnet") else "[PAD]")
    torch.manual_seed(7)
    if kind == "bert":
        model = transformers.BertModel(transformers.BertConfig(**sizes, max_position_embeddings=64, pad_token_id=pad))
    elif kind == "distilbert":
        config = transformers.DistilBertConfig(
            vocab_size=sizes["vocab_size"], dim=32, n_heads=4, n_layers=3, hidden_dim=48, max_position_embeddings=64
        )
        model = transformers.DistilBertModel(config)
    elif kind == "modernbert":
        config = transformers.ModernBertConfig(
            **sizes,
            max_position_embeddings=64,
            pad_token_id=pad,
            bos_token_id=None,
            eos_token_id=None,
            cls_token_id=tokenizer.token_to_id("[CLS]"),
            sep_token_id=tokenizer.token_to_id("[SEP]"),
            global_attn_every_n_layers=2,
            local_attention=8,
        )
        model = transformers.ModernBertModel(config)
    else:
        classes = {
            "mpnet": (transformers.MPNetModel, transformers.MPNetConfig),
            "roberta": (transformers.RobertaModel, transformers.RobertaConfig),
            "xlm-roberta": (transformers.XLMRobertaModel, transformers.XLMRobertaConfig),
        }[kind]
        extra = {} if kind == "mpnet" else {"type_vocab_size": 1}
        model = classes[0](classes[1](**sizes, **extra, max_position_embeddings=66, pad_token_id=pad))
    _spread(model)
    model.save_pretrained(folder)
    angled = kind in ("roberta", "xlm-roberta", "mpnet")
    names = ("<s>", "</s>", "<pad>", "<unk>") if angled else ("[CLS]", "[SEP]", "[PAD]", "[UNK]")
    special = dict(zip(("cls_token", "sep_token", "pad_token", "unk_token"), names, strict=True))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **special, **changes)
    fast.save_pretrained(folder)
    return folder


def _spread(model: torch.nn.Module) -> None:
    """Larger weights than the usual initialisation, so that layers and positions matter."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2:
                weight.mul_(4)
            elif "bias" in name:
                weight.normal_(0, 0.2)


def _tokenizer(kind: str) -> Tokenizer:
    if kind in ("bert", "distilbert", "mpnet"):
        names = ["<s>", "<pad>", "</s>", "<unk>"] if kind == "mpnet" else ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        first, last, unknown = ("<s>", "</s>", "<unk>") if kind == "mpnet" else ("[CLS]", "[SEP]", "[UNK]")
        tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=220, special_tokens=names, show_progress=False)
    elif kind == "xlm-roberta":
        first, last = "<s>", "</s>"
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=140, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
        )
    else:
        first, last = ("<s>", "</s>") if kind == "roberta" else ("[CLS]", "[SEP]")
        names = ["<s>", "<pad>", "</s>", "<unk>"] if kind == "roberta" else ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=360,
            special_tokens=names,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    tokenizer.train_from_iterator(CORPUS, trainer)
    ends = [(name, tokenizer.token_to_id(name)) for name in (first, last)]
    if kind == "roberta":
        tokenizer.post_processor = processors.RobertaProcessing(ends[1], ends[0], add_prefix_space=False)
    else:
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ends)
    return tokenizer
