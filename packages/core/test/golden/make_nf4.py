"""Writes nf4/: matrices in NF4 as bitsandbytes encodes them, and checkpoints in 4 bits with what is computed from them.

usage: pip install -r requirements.txt
       python make_nf4.py LLAMA3_CHECKPOINT OUT_DIR     (models/llama3 beside this file)
       python make_nf4.py --again FOLDER OUT_FILE       the values of a folder that is there, from its checkpoint and adapter

nf4.safetensors        per source type and with or without double quantization: weight, codes, absmaxes, decoded values
llama3-bnb-4bit/       every linear of the blocks in NF4
llama3-bnb-4bit-mixed/ some left in float, as dynamic quants do
golden.safetensors     of a checkpoint: logits, loss, and with adapter/ lora.logits, lora.loss, lora.grad.NAME

It runs on a CPU. There bitsandbytes 0.50.2 encodes as on a GPU, but decodes rows of fewer than 64 wrongly; so what is computed from
a checkpoint uses the plain decoding below. nf4.safetensors and llama3-bnb-4bit, which are here, were made on a GPU: the adapter of
the latter is another one than this script draws, and its values are repeated with --again. A CPU gives the block of zeros other
codes, and some sums of scales another last bit.
"""
import json
import os
import sys

import bitsandbytes.functional as F
import peft
import torch
import transformers as T
from safetensors.torch import load_file, save_file

MATRICES_SEED = 99
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CHECKPOINTS = {  # seed, and what stays in float
    "llama3-bnb-4bit": (99, None),
    "llama3-bnb-4bit-mixed": (991, ["lm_head", "model.layers.0.self_attn", "model.layers.1.mlp.down_proj"]),
}


def plain(tensor):
    return tensor.detach().contiguous().cpu().clone()


def matrices():
    values = {}
    torch.manual_seed(MATRICES_SEED)
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        weight = (torch.randn(96, 192) * torch.rand(96, 1)).to(dtype)
        weight[3, 5] = 0
        weight[10, :64] = 0  # a block whose absmax is 0
        for form in ("single", "double"):
            codes, state = F.quantize_4bit(
                weight, blocksize=64, quant_type="nf4", compress_statistics=form == "double"
            )
            parts = dict(weight=weight, packed=codes, absmax=state.absmax, code=state.code)
            parts["decoded"] = F.dequantize_4bit(codes, state)
            if form == "double":
                nested = state.state2
                parts |= dict(nested_absmax=nested.absmax, nested_code=nested.code, offset=state.offset.reshape(1))
            values |= {f"{name}.{form}.{part}": plain(tensor) for part, tensor in parts.items()}
    return values


def decoded(tensors, name):
    """A weight of a checkpoint, from its codes."""
    state = json.loads(bytes(tensors[f"{name}.quant_state.bitsandbytes__nf4"].tolist()))
    absmax = tensors[f"{name}.absmax"]
    if "nested_offset" in state:
        scales = tensors[f"{name}.nested_absmax"].float().repeat_interleave(state["nested_blocksize"])[: absmax.numel()]
        absmax = tensors[f"{name}.nested_quant_map"].float()[absmax.long()] * scales + state["nested_offset"]
    codes = tensors[name].flatten().long()
    values = tensors[f"{name}.quant_map"].float()[torch.stack([codes >> 4, codes & 15], 1).flatten()]
    return (values * absmax.float().repeat_interleave(state["blocksize"])[: values.numel()]).reshape(state["shape"])


def open_plain(folder):
    tensors = load_file(f"{folder}/model.safetensors")
    config = T.AutoConfig.from_pretrained(folder)
    del config.quantization_config
    model = T.LlamaForCausalLM(config).float().eval()
    model.set_attn_implementation("eager")
    in_4_bits = {key.split(".quant_state.")[0] for key in tensors if ".quant_state." in key}
    state = {k: decoded(tensors, k) if k in in_4_bits else tensors[k].float() for k in model.state_dict()}
    model.load_state_dict(state)
    return model


def base_values(model, ids, labels):
    with torch.no_grad():
        result = model(input_ids=ids, labels=labels, use_cache=False)
    values = dict(input_ids=ids.to(torch.int32), labels=labels.to(torch.int32))
    return values | dict(logits=plain(result.logits), loss=plain(result.loss).reshape(1))


def adapter_values(tuned, ids, labels):
    result = tuned.train()(input_ids=ids, labels=labels, use_cache=False)
    result.loss.backward()
    values = {"lora.logits": plain(result.logits), "lora.loss": plain(result.loss).reshape(1)}
    trained = [(name, p) for name, p in tuned.named_parameters() if p.requires_grad]
    return values | {f"lora.grad.{name.replace('.default', '')}": plain(p.grad) for name, p in trained}


def make(source, folder, seed, in_float):
    torch.manual_seed(seed)
    quantization = T.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules=in_float,
    )
    quantized = T.AutoModelForCausalLM.from_pretrained(
        source, dtype=torch.float32, device_map={"": "cpu"}, quantization_config=quantization
    )
    quantized.save_pretrained(folder)
    ids = torch.randint(3, quantized.config.vocab_size, (2, 48))
    labels = ids.clone()
    labels[0, :11] = labels[1, 40:] = -100
    model = open_plain(folder)
    values = base_values(model, ids, labels)
    lora = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
    tuned = peft.get_peft_model(model, lora)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.05 * torch.randn(parameter.shape))
    tuned.save_pretrained(f"{folder}/adapter")
    os.remove(f"{folder}/adapter/README.md")
    save_file(values | adapter_values(tuned, ids, labels), f"{folder}/golden.safetensors")


def again(folder, out):
    golden = load_file(f"{folder}/golden.safetensors")
    ids, labels = golden["input_ids"].long(), golden["labels"].long()
    values = base_values(open_plain(folder), ids, labels)
    tuned = peft.PeftModel.from_pretrained(open_plain(folder), f"{folder}/adapter", is_trainable=True)
    save_file(values | adapter_values(tuned, ids, labels), out)


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "--again":
        again(*sys.argv[2:])
    else:
        source, out = sys.argv[1:]
        os.makedirs(out, exist_ok=True)
        save_file(matrices(), f"{out}/nf4.safetensors")
        for name, (seed, in_float) in CHECKPOINTS.items():
            make(source, f"{out}/{name}", seed, in_float)
