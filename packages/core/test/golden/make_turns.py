"""Writes turns/: conversations with calls of tools and with thoughts as chat templates render them, with labels.

usage: pip install -r requirements.txt
       python make_turns.py OUT_DIR

The templates are those of TRL's wheel (Apache-2.0, trl/chat_templates: the models' own, and TRL's *_training variants),
rendered by transformers. A text with labels is written in pieces: not trained, trained, not trained, and so on. What is
trained stands between {% generation %} marks, of the template or of a training variant that prints the same text, less
what the generation prompt gives the model and the line feeds behind a turn. Without marks it is what follows the
generation prompt; where a template prints an earlier turn otherwise, there is the text alone.
"""
import json
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path

import transformers.utils.chat_template_utils as rendering
import trl

from make_templates import NOW, FixedDate

CHATML = dict(eos="<|im_end|>", tokens=["<|im_start|>"])
LLAMA = dict(bos="<|begin_of_text|>", eos="<|eot_id|>", tokens=["<|start_header_id|>", "<|end_header_id|>"])
GEMMA_4 = dict(
    bos="<bos>", eos="<turn|>",
    tokens=["<|turn>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>"],
)
LFM = dict(CHATML, bos="<|startoftext|>", tokens=["<|im_start|>", "<|tool_call_start|>", "<|tool_call_end|>"])
# Names of files, with the control tokens of the models.
TEMPLATES = {
    "llama3_1": LLAMA,
    "llama3_2": LLAMA,
    "qwen2_5": CHATML,
    "qwen3": CHATML,
    "qwen3_training": CHATML,
    "qwen3_8": CHATML,
    "glm4moe_training": dict(
        eos="<|endoftext|>", stops=["<|user|>", "<|observation|>"],
        tokens=["<|user|>", "<|observation|>", "<|assistant|>", "<|system|>"],
    ),
    "gptoss": dict(
        bos="<|startoftext|>", eos="<|return|>",
        tokens=["<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|call|>"],
    ),
    "gemma3": dict(bos="<bos>", eos="<end_of_turn>", tokens=["<start_of_turn>"]),
    "gemma4_v5": GEMMA_4,
    "diffusion_gemma": GEMMA_4,
    "lfm2_v2": LFM,
    "lfm2_2_5_v2": LFM,
    "deepseekv3_training": dict(
        bos="<｜begin▁of▁sentence｜>", eos="<｜end▁of▁sentence｜>", tokens=["<｜User｜>", "<｜Assistant｜>"],
    ),
}


def message(role, content, thought=None, calls=(), **more):
    calls = dict(tool_calls=list(calls)) if calls else {}
    return dict(role=role, content=content, **(dict(reasoning_content=thought) if thought else {}), **calls, **more)


def call(number, city):
    return dict(id=f"callcall{number}", type="function", function=dict(name="get_weather", arguments=dict(city=city)))


def result(number, content):
    return message("tool", content, name="get_weather", tool_call_id=f"callcall{number}")


TOOLS = [dict(type="function", function=dict(
    name="get_weather", description="The weather of a city.",
    parameters=dict(
        type="object", properties=dict(city=dict(type="string", description="Its name")), required=["city"]
    ),
))]
ASKED, LYON, ROME = message("user", "Weather in Lyon?"), call(1, "Lyon"), call(2, "Rome")
CONVERSATIONS = {
    "plain": [
        message("system", "Be brief."), message("user", "Hi"), message("assistant", "Hello."), message("user", "Bye"),
        message("assistant", "See you."),
    ],
    "call": [ASKED, message("assistant", "", calls=[LYON]), result(1, "18 C"), message("assistant", "It is 18 C.")],
    "text_and_call": [
        ASKED, message("assistant", "Let me see.", calls=[LYON]), result(1, "18 C"),
        message("assistant", "It is 18 C."),
    ],
    "two_calls": [
        ASKED, message("assistant", "", calls=[LYON, ROME]), result(1, "18 C"), result(2, "21 C"),
        message("assistant", "18 and 21 C."),
    ],
    "call_at_the_end": [ASKED, message("assistant", "", calls=[LYON])],
    "two_rounds": [
        message("system", "Be brief."), ASKED, message("assistant", "", calls=[LYON]), result(1, "18 C"),
        message("assistant", "It is 18 C."), message("user", "And Rome?"), message("assistant", "", calls=[ROME]),
        result(2, "21 C"), message("assistant", "It is 21 C."), message("user", "Thanks"),
        message("assistant", "You are welcome."),
    ],
    "thinking_and_call": [
        ASKED, message("assistant", "", "I have to look.", [LYON]), result(1, "18 C"),
        message("assistant", "It is 18 C.", "It says 18."),
    ],
    "thinking": [
        message("user", "Is 7 prime?"), message("assistant", "Yes.", "Only 1 and 7."), message("user", "And 9?"),
        message("assistant", "No.", "3 times 3."),
    ],
}
FOLDER = Path(trl.__file__).parent / "chat_templates"
MARK = re.compile(r"\{%-?\s*generation\s*-?%\}")


class Template:
    def __init__(self, name, tokens):
        self.source = (FOLDER / f"{name}.jinja").read_text()
        self.tokens = dict(bos_token=tokens.get("bos", ""), eos_token=tokens["eos"])

    def render(self, messages, tools, **options):
        """The text, and the ranges between generation marks if they are asked for."""
        # Some templates read a thought under another name.
        named = [
            dict(one, thinking=one["reasoning_content"]) if "reasoning_content" in one else one for one in messages
        ]
        texts, marks = rendering.render_jinja_template(
            [named], tools=tools, chat_template=self.source, **self.tokens, **options
        )
        return texts[0], [tuple(span) for span in marks[0]] if marks else None

    def prompts(self, messages, tools):
        """Of each answer: what stands before it, that as the model is given it, and that with the answer."""
        for i, one in enumerate(messages):
            if one["role"] == "assistant":
                before, said = (self.render(messages[:end], tools)[0] for end in (i, i + 1))
                yield before, self.render(messages[:i], tools, add_generation_prompt=True)[0], said


def without_prompts(prompts, text, marks, tokens):
    """A prompt may open a thought that the answer does not have: it is cut at control tokens."""
    control = re.compile("|".join(map(re.escape, tokens)))
    lengths = set()
    for before, prompt, _ in prompts:
        ends = [len(prompt), *(match.end() for match in control.finditer(prompt, len(before)))]
        lengths |= {end for end in ends if text.startswith(prompt[:end])}
    headers = {prompt[len(before):] for before, prompt, _ in prompts if prompt.startswith(before)} - {""}
    for start, end in marks:
        first = max([start, *(length for length in lengths if start < length <= end)])
        if first == start:
            first += max([0, *(len(header) for header in headers if text.startswith(header, start))])
        end = first + len(text[first:end].rstrip("\n"))
        if first < end:
            yield first, end


def after_prompts(prompts, text):
    for _, prompt, said in prompts:
        said = said.rstrip("\n")
        if not (text.startswith(said) and said.startswith(prompt)):
            return
        yield len(prompt), len(said)


def trained(name, template, messages, tools, text):
    prompts = list(template.prompts(messages, tools))
    variant = f"{name}_training"
    variants = [Template(variant, TEMPLATES[name])] if (FOLDER / f"{variant}.jinja").exists() else []
    for marked in [template, *variants]:
        if MARK.search(marked.source):
            same, marks = marked.render(messages, tools, return_assistant_tokens_mask=True)
            if same == text:
                return list(without_prompts(prompts, text, marks, TEMPLATES[name]["tokens"]))
    spans = list(after_prompts(prompts, text))
    return spans if len(spans) == len(prompts) else None


def pieces(text, spans):
    """The text in pieces: not trained, trained, and so on."""
    cut, at = [], 0
    for start, end in spans:
        if cut and start == at:
            cut[-1] += text[start:end]
        else:
            cut += [text[at:start], text[start:end]]
        at = end
    return cut + [text[at:]]


def rendered(name, template, case):
    messages = CONVERSATIONS[case]
    tools = TOOLS if any("tool_calls" in one for one in messages) else None
    try:
        text, _ = template.render(messages, tools)
    except Exception as error:  # whatever a template raises is what is compared
        return dict(case=case, error=str(error))
    spans = trained(name, template, messages, tools, text)
    return dict(case=case, text=text) if spans is None else dict(case=case, pieces=pieces(text, spans))


if __name__ == "__main__":
    rendering.datetime = FixedDate
    out = f"{sys.argv[1]}/turns"
    os.makedirs(out, exist_ok=True)
    with open(f"{out}/conversations.json", "w") as file:
        values = dict(now=NOW.isoformat(), tools=TOOLS, conversations=CONVERSATIONS)
        json.dump(values, file, ensure_ascii=False, indent=1)
    for name, tokens in TEMPLATES.items():
        template = Template(name, tokens)
        source = f"trl {version('trl')} (Apache-2.0), trl/chat_templates/{name}.jinja"
        values = dict(source=source, **tokens, cases=[rendered(name, template, case) for case in CONVERSATIONS])
        with open(f"{out}/{name}.json", "w") as file:
            json.dump(dict(values, template=template.source), file, ensure_ascii=False, indent=1)
