"""Golden values for preference and reward objectives: DPO, ORPO, CPO, SimPO, KTO, Bradley-Terry reward models, GRPO/GSPO.

Every value is computed twice: by TRL's own trainer (its data preparation, collator, compute_loss, Trainer.train; padded batches) and by the plain
formulas in this file (one unpadded sequence at a time). Both run in float64, where loss, metrics, gradients and ten AdamW steps must agree to 1e-6
relative, and in float32. The files hold the float32 values of the plain formulas, with TRL's float32 loss and the float64 loss beside them.
usage: python make_preference.py MODEL_DIR OUT_DIR SEED [OBJECTIVE ...], as models/llama3 preference 7, and models/qwen3 with the same seed
MODEL_DIR: tiny model with adapter/ in the Hugging Face layout. Writes OUT_DIR/<objective>/<model>/golden.{json,safetensors}, of reward besides
adapter/, with the score head; the README.md that PEFT writes there is not kept.
"""
import copy, hashlib, json, os, random, sys, tempfile, warnings
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1", CI="1", TRL_EXPERIMENTAL_SILENCE="1", TOKENIZERS_PARALLELISM="false", CUDA_VISIBLE_DEVICES="")
warnings.filterwarnings("ignore")
import torch, peft, transformers, trl, datasets, trl.trainer.utils as trl_utils
from torch.nn.functional import logsigmoid
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from trl.experimental.orpo import ORPOTrainer, ORPOConfig
from trl.experimental.cpo import CPOTrainer, CPOConfig
transformers.logging.set_verbosity_error(); transformers.logging.disable_progress_bar(); datasets.disable_progress_bars(); torch.set_num_threads(1)
src, out, seed, held = sys.argv[1].rstrip("/"), sys.argv[2], int(sys.argv[3]), "heldout" in sys.argv[4:]
wanted = set(sys.argv[4:]) - {"heldout"}
model_name, tmp = os.path.basename(src), tempfile.mkdtemp()
H = dict(pairs=5, beta=(0.3, 0.05), smooth=0.2, sft=0.5, orpo=(0.3, 0.05), cpo=(0.3, 0.5), simpo=(2.5, 1.4), kto=((0.3, 1.0, 1.0), (0.05, 0.8, 1.5)), center=0.05,
         clip=dict(token=(0.1, 0.3), sequence=(0.03, 0.08)), kl=0.1, groups=4, generations=3, max_completion=20) if held else \
    dict(pairs=6, beta=(0.1, 0.5), smooth=0.1, sft=1.0, orpo=(0.1, 0.5), cpo=(0.1, 1.0), simpo=(2.0, 1.0), kto=((0.1, 1.0, 1.0), (0.5, 1.33, 0.75)), center=0.01,
         clip=dict(token=(0.2, 0.28), sequence=(0.05, 0.06)), kl=0.04, groups=3, generations=4, max_completion=16)
OPT = dict(name="adamw", lr=1e-3, betas=[0.9, 0.999], eps=1e-8, weight_decay=0.0, max_grad_norm=1.0, schedule="constant", steps=10)
config = transformers.AutoConfig.from_pretrained(src); V = config.vocab_size
word = Tokenizer(models.WordLevel({f"<{i}>": i for i in range(V)}, unk_token="<0>")); word.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tok = transformers.PreTrainedTokenizerFast(tokenizer_object=word, pad_token="<0>", bos_token="<1>", eos_token="<2>"); text = lambda ids: " ".join(f"<{i}>" for i in ids)
adapter = load_file(f"{src}/adapter/adapter_model.safetensors")
score = 0.2 * torch.randn(1, config.hidden_size, generator=torch.Generator().manual_seed(seed))       # the reward head, no bias
F32, dtype, cache, fused32 = torch.float32, None, {}, trl_utils._ChunkedLogProbFunction                     # dtype: float64, then F32; cache: inputs made in the first pass

# ---- models and TRL's trainers ----
def base(task="CAUSAL_LM"):
    auto, kw = (transformers.AutoModelForSequenceClassification, {"num_labels": 1}) if task == "SEQ_CLS" else (transformers.AutoModelForCausalLM, {})
    torch.float32 = F32; m = auto.from_pretrained(src, dtype=dtype, attn_implementation="eager", **kw); torch.float32 = dtype; return m
def lora(task):
    c = peft.LoraConfig.from_pretrained(f"{src}/adapter"); c.inference_mode, c.task_type, c.modules_to_save = False, task, ["score"] if task == "SEQ_CLS" else None; return c
def reset(m):                                                   # back to the saved adapter
    if isinstance(m, peft.PeftModel): peft.set_peft_model_state_dict(m, {**adapter, **({"base_model.model.score.weight": score} if hasattr(m.base_model.model, "score") else {})})
    return m.to(dtype).train()
def plain_model(task="CAUSAL_LM"): return reset(peft.get_peft_model(base(task), lora(task)))
class Fused64:                                                  # float64 stand-in for TRL's fused LM head, whose kernel calls .float()
    def apply(h, w, b, target, temperature, *_):
        l = (h @ w.T / temperature).log_softmax(-1); return l.gather(-1, target[:, None])[:, 0], -(l.exp() * l).sum(-1), None, l.detach().mean(-1), l.argmax(-1) == target
def trainer(cls, cfg, rows, keys, task="CAUSAL_LM", model=None, opts={}, n=None, **kw):
    """TRL's trainer with a fresh LoRA, then the saved adapter loaded; rows are given as text and must come back as the same tokens"""
    args = cfg(output_dir=tmp, per_device_train_batch_size=n or len(rows), bf16=False, use_cpu=True, gradient_checkpointing=False, report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True, max_steps=OPT["steps"],
               learning_rate=OPT["lr"], lr_scheduler_type="constant", weight_decay=0.0, adam_beta1=0.9, adam_beta2=0.999, adam_epsilon=1e-8, max_grad_norm=1.0, optim="adamw_torch", **opts)
    data = [{k: (" " if k in keys else "") + text(v) if isinstance(v, list) else v for k, v in r.items()} for r in rows]
    t = cls(model=model or base(task), args=args, train_dataset=datasets.Dataset.from_list(data), processing_class=tok, **({} if model else {"peft_config": lora(task)}), **kw)
    t.remove_callback(transformers.PrinterCallback); reset(t.model); t.collate = lambda idx: t.data_collator([t.train_dataset[i] for i in idx])
    if keys:
        t.full = b = t.collate(range(len(rows))); one = "input_ids" in b
        ids, mask = ([x for k in ([""] if one else [f"{k}_" for k in keys]) for x in b[k + name]] for name in ("input_ids", "attention_mask"))
        assert [i[m.bool()].tolist() for i, m in zip(ids, mask)] == [r["prompt"] + r[k] for k in keys for r in rows]
    return t
def measure(t, batch):                                          # TRL's loss and the last value of every metric that the trainer stored
    loss = t.compute_loss(t.model, dict(batch)); s = t._metrics["train"] if hasattr(t, "_metrics") else t._stored_metrics["train"]
    r = {k: float(v[-1]) for k, v in s.items() if v}; s.clear(); return loss, r
# ---- comparison and storage ----
num = lambda x: float(f"{float(x):.9g}")
rel = lambda a, b, scale=1e-12: abs(a - b) / max(abs(a), abs(b), scale)
params = lambda m: {n.replace(".default", "").replace(".modules_to_save", ""): p for n, p in m.named_parameters() if p.requires_grad}
grads = lambda loss, m: dict(zip(params(m), torch.autograd.grad(loss, list(params(m).values()))))
norm = lambda g: float(torch.sqrt(sum((x.double() ** 2).sum() for x in g.values()))); mean = lambda x: float(x.detach().to(dtype).mean())
SKIP = ("num_tokens", "logits/", "mean_token_accuracy", "clip_ratio/low_min", "clip_ratio/high_max", "completions/", "reward", "frac_", "min_", "max_")     # metrics of TRL that are not in the files
class Store:
    def __init__(self, objective, trl_class, **head):
        self.objective, self.tensors, self.variants, self.curves, self.agree = objective, {}, {}, {}, {}
        self.head = dict(objective=objective, model=model_name, seed=seed, trl=trl_class, versions={m.__name__: m.__version__ for m in (torch, transformers, peft, trl)}, sha256={p: hashlib.sha256(open(f"{src}/{p}", "rb").read()).hexdigest() for p in ("model.safetensors", "adapter/adapter_model.safetensors")}, **head, logps={})
    def agreed(self, where, **figures):                         # relative differences between TRL and the plain formulas
        for k, x in figures.items():
            self.agree[k] = max(self.agree.get(k, 0.0), x); assert x < (1e-6 if dtype == torch.float64 else dict(loss=2e-5, ten_steps=1e-4).get(k, 5e-5)), (self.objective, where, dtype, figures)
    def per_token(self, name, ls): self.tensors[f"logps.{name}"] = torch.cat([l.detach() for l in ls]); self.head["logps"][name] = [num(l.sum()) for l in ls]
    def all(self, todo, plain, run, pm, t, full=(), curves=(), keep=lambda o: "probe"):
        """todo: name -> options; plain(**options) -> loss, per-row values, batch values; run(**options) -> TRL's loss and metrics; full: variants whose gradients are all written"""
        for name, o in todo.items():
            loss, rows, batch = plain(**o); g = grads(loss, pm); tl, tm = run(**o); tg = grads(tl, t.model); assert g.keys() == tg.keys()
            missed = [k for k in tm if k not in batch and not k.startswith(SKIP)]; assert not missed, missed
            scale = mean(torch.tensor(rows["loss"]).abs())      # group losses nearly cancel: relative to the mean size of the row losses
            self.agreed(name, loss=rel(float(loss), float(tl), scale), gradient=norm({k: g[k] - tg[k] for k in g}) / norm(g), metrics=max([rel(batch[k], tm[k], 0.1) for k in tm if k in batch] + [0.0]))
            self.variants[name] = dict(options=o, loss=num(loss), loss_trl=num(tl), grad_norm=num(norm(g)), batch={k: num(x) for k, x in batch.items()}, rows={k: [num(y) for y in x] for k, x in rows.items()})
            for k, x in g.items():
                if (kind := "all" if name in full else keep(o)) == "all" or kind == "probe" and any(s in k for s in ("layers.0.self_attn.q_proj", "layers.0.mlp.down_proj", "score")) or kind == "upper" and "layers.0." not in k: self.tensors[f"grad.{name}.{k}"] = x
        for name in curves:
            o, ps, c = todo[name], list(params(pm).values()), dict(loss=[], grad_norm=[]); opt = torch.optim.AdamW(ps, lr=OPT["lr"], betas=OPT["betas"], eps=OPT["eps"], weight_decay=0.0)
            for _ in range(OPT["steps"]):
                opt.zero_grad(); loss = plain(**o)[0]; loss.backward(); c["grad_norm"].append(num(torch.nn.utils.clip_grad_norm_(ps, 1.0))); opt.step(); c["loss"].append(num(loss))
            opt.zero_grad(); run(**o); t.optimizer = t.lr_scheduler = None; t.train(); log = [h for h in t.state.log_history if "grad_norm" in h]
            c["loss_trl"], c["grad_norm_trl"] = [num(h["loss"]) for h in log], [num(h["grad_norm"]) for h in log]; assert len(log) == OPT["steps"]
            scale = mean(torch.tensor(self.variants[name]["rows"]["loss"]).abs())
            self.agreed(name, ten_steps=max(rel(x, y, scale) for k in ("loss", "grad_norm") for x, y in zip(c[k], c[k + "_trl"]))); self.curves[name] = c; reset(pm); reset(t.model)
# ---- rows and plain log-probabilities ----
def draw(r, lo, hi, end=(2,)): return [r.randrange(3, V) for _ in range(r.randint(lo, hi))] + list(end)
def make_pairs(number):
    r = random.Random(seed + number); rows = [dict(prompt=[1] + draw(r, 1, 11, ()), chosen=draw(r, 2, 15), rejected=draw(r, 2, 15)) for _ in range(H["pairs"])]
    rows[1]["rejected"] = [2]; rows[2]["rejected"] = rows[2]["chosen"][:2] + rows[2]["rejected"]; return rows       # an answer of one token; a shared beginning
def token_logps(m, prompt, completion):
    # log p of every token after the first (the last len(completion) are the completion's), and the entropies at the completion's tokens
    ids = torch.tensor([prompt + completion]); l = m(input_ids=ids, use_cache=False).logits[0, :-1].log_softmax(-1)
    return l.gather(-1, ids[0, 1:, None])[:, 0], -(l.exp() * l).sum(-1).detach()[-len(completion):]
def completions(m, rows, key):
    both = [token_logps(m, r["prompt"], r[key]) for r in rows]; return [l[-len(r[key]):] for (l, _), r in zip(both, rows)], [e for _, e in both]
def reference(m, rows, key):                                    # the base model without the adapter
    with torch.no_grad(), m.disable_adapter(): return completions(m, rows, key)[0]
sums, means = (lambda ls: torch.stack([l.sum() for l in ls])), (lambda ls: torch.stack([l.mean() for l in ls]))
def pair_values(loss, beta, c, r, lc, lr, **more):              # rows and batch values of a pair objective; c, r: what beta is multiplied with
    c, r = (beta * c).detach(), (beta * r).detach()
    return dict(loss=loss.tolist(), rewards_chosen=c.tolist(), rewards_rejected=r.tolist(), margins=(c - r).tolist(), accuracies=(c > r).int().tolist()), \
        {"rewards/chosen": mean(c), "rewards/rejected": mean(r), "rewards/accuracies": mean(c > r), "rewards/margins": mean(c - r), "logps/chosen": mean(lc), "logps/rejected": mean(lr), **more}
def dpo():                                                      # 1
    rows, keys, b0 = make_pairs(0), ("chosen", "rejected"), H["beta"][0]; S = Store("dpo", "trl.DPOTrainer / DPOConfig", rows=rows); pm = plain_model(); ref = {k: reference(pm, rows, k) for k in keys}
    def plain(loss_type, beta, label_smoothing=0.0, sft_weight=0.0, reference_free=False, m=pm, **_):
        (lc, ec), (lr, er) = completions(m, rows, "chosen"), completions(m, rows, "rejected"); c, r, s = sums(lc), sums(lr), label_smoothing
        a, b = (c, r) if reference_free else (c - sums(ref["chosen"]), r - sums(ref["rejected"])); d = beta * (a - b)
        each = dict(sigmoid=-(1 - s) * logsigmoid(d) - s * logsigmoid(-d), robust=(-(1 - s) * logsigmoid(d) + s * logsigmoid(-d)) / (1 - 2 * s), hinge=torch.relu(1 - d),
                    ipo=(a / torch.tensor([len(l) for l in lc]) - b / torch.tensor([len(l) for l in lr]) - 1 / (2 * beta)) ** 2)[loss_type]
        nll = -torch.cat(lc).mean()                             # all chosen completion tokens of the batch alike
        return each.mean() + sft_weight * nll, *pair_values(each, beta, a, b, c, r, entropy=mean(torch.cat(ec + er)), nll_loss=mean(nll))
    t = trainer(trl.DPOTrainer, trl.DPOConfig, rows, keys)
    def run(loss_type, beta, label_smoothing=0.0, sft_weight=0.0, reference_free=False, t=t, one=None, **_):
        t.loss_types, t.loss_weights, t.beta, t.label_smoothing, t.precompute_ref_logps = [loss_type] + ["sft"] * (sft_weight > 0), [1.0] + [sft_weight] * (sft_weight > 0), beta, label_smoothing, reference_free
        zero = lambda b: {**b, **({f"ref_{k}_logps": torch.zeros(len(b["input_ids"]) // 2) for k in keys} if reference_free else {})}
        if one is None and not (loss_type == "sigmoid" and label_smoothing): return measure(t, zero(t.full))
        metrics = measure(t, zero(t.full))[1]; t.loss_types = ["aot" if loss_type == "sigmoid" and label_smoothing else loss_type]     # TRL's sigmoid ignores label_smoothing; its "aot" on single pairs is that formula
        each = [measure(t, zero(t.collate([i])))[0] for i in (range(len(rows)) if one is None else [one])]; return torch.stack(each).mean(), metrics
    todo = {f"{k}_beta{b}": dict(loss_type=k, beta=b) for k in ("sigmoid", "ipo", "hinge") for b in H["beta"]}
    todo |= {f"sigmoid_beta{b}_smooth{H['smooth']}": dict(loss_type="sigmoid", beta=b, label_smoothing=H["smooth"]) for b in H["beta"]}
    todo |= {"hinge_beta3": dict(loss_type="hinge", beta=3.0), f"robust_beta{b0}_smooth{H['smooth']}": dict(loss_type="robust", beta=b0, label_smoothing=H["smooth"]),
             f"sigmoid_beta{b0}_reference_free": dict(loss_type="sigmoid", beta=b0, reference_free=True), (sft := f"sigmoid_beta{b0}_sft{H['sft']}"): dict(loss_type="sigmoid", beta=b0, sft_weight=H["sft"])}
    S.all(todo, plain, run, pm, t, full=(f"sigmoid_beta{b0}",), curves=(f"sigmoid_beta{b0}", f"ipo_beta{b0}", sft)); assert 0.0 in S.variants["hinge_beta3"]["rows"]["loss"]
    for name, o in todo.items():                                # row by row as well: a single pair has no padding but between chosen and rejected
        if name != sft: S.agreed(name, row_loss=max(rel(x, float(run(**o, one=i)[0].detach()), 0.1) for i, x in enumerate(plain(**o)[1]["loss"])))
    for k in keys: S.per_token(f"policy.{k}", completions(pm, rows, k)[0]); S.per_token(f"reference.{k}", ref[k])
    fm = plain_model().merge_and_unload().train(); fm.requires_grad_(True)      # all parameters: policy = base with the adapter merged, reference = base
    ft = trainer(trl.DPOTrainer, trl.DPOConfig, rows, keys, model=copy.deepcopy(fm), ref_model=base())
    S.all({"full_parameters": dict(loss_type="sigmoid", beta=b0, policy="base with the adapter merged, every parameter trained")}, lambda **o: plain(**o, m=fm), lambda **o: run(**o, t=ft), fm, ft, curves=("full_parameters",), keep=lambda o: ("upper" if model_name == "llama3" else "none") if held else "all"); return S
def orpo():                                                     # 2
    rows, keys, b0 = make_pairs(1), ("chosen", "rejected"), H["orpo"][0]; S = Store("orpo", "trl.experimental.orpo.ORPOTrainer / ORPOConfig", rows=rows); pm = plain_model(); t = trainer(ORPOTrainer, ORPOConfig, rows, keys)
    whole = lambda: [token_logps(pm, r["prompt"], r["chosen"])[0] for r in rows]
    def plain(beta):
        lw = whole(); nll = -torch.cat(lw).mean()               # prompt and answer of the chosen rows, all tokens of the batch alike
        c, r = means([l[-len(x["chosen"]):] for l, x in zip(lw, rows)]), means(completions(pm, rows, "rejected")[0])
        odds = (c - r) - (torch.log1p(-torch.exp(c)) - torch.log1p(-torch.exp(r))); each = -beta * logsigmoid(odds)
        values, batch = pair_values(each, beta, c, r, c, r, nll_loss=mean(nll), log_odds_ratio=mean(logsigmoid(odds)), log_odds_chosen=mean(odds)); return nll + each.mean(), {**values, "log_odds": odds.tolist()}, batch
    def run(beta): t.beta = beta; return measure(t, t.full)
    S.all({f"beta{b}": dict(beta=b) for b in H["orpo"]}, plain, run, pm, t, full=(f"beta{b0}",), curves=(f"beta{b0}",))
    S.per_token("policy.chosen_with_prompt", whole()); [S.per_token(f"policy.{k}", completions(pm, rows, k)[0]) for k in keys]; return S
def cpo():
    rows, keys, (b, al), (sb, sg) = make_pairs(2), ("chosen", "rejected"), H["cpo"], H["simpo"]; S = Store("cpo", "trl.experimental.cpo.CPOTrainer / CPOConfig", rows=rows); pm = plain_model(); t = trainer(CPOTrainer, CPOConfig, rows, keys)
    def plain(loss_type, beta, cpo_alpha, label_smoothing=0.0, simpo_gamma=0.0):
        lc, lr = completions(pm, rows, "chosen")[0], completions(pm, rows, "rejected")[0]; c, r = (means(lc), means(lr)) if loss_type in ("simpo", "ipo") else (sums(lc), sums(lr))
        d = beta * (c - r) - simpo_gamma; nll = -torch.cat(lc).mean() if cpo_alpha else torch.zeros(())
        each = dict(hinge=torch.relu(1 - d), ipo=(c - r - 1 / (2 * beta)) ** 2).get(loss_type, -(1 - label_smoothing) * logsigmoid(d) - label_smoothing * logsigmoid(-d))
        return each.mean() + cpo_alpha * nll, *pair_values(each, beta, c, r, c, r, nll_loss=mean(nll))
    def run(loss_type, beta, cpo_alpha, label_smoothing=0.0, simpo_gamma=0.0): t.loss_type, t.beta, t.cpo_alpha, t.label_smoothing, t.simpo_gamma = loss_type, beta, cpo_alpha, label_smoothing, simpo_gamma; return measure(t, t.full)
    todo = {"cpo_sigmoid": dict(loss_type="sigmoid", beta=b, cpo_alpha=al), "cpo_sigmoid_smooth": dict(loss_type="sigmoid", beta=b, cpo_alpha=al, label_smoothing=H["smooth"]), "cpo_hinge": dict(loss_type="hinge", beta=b, cpo_alpha=al),
            "cpo_ipo": dict(loss_type="ipo", beta=b, cpo_alpha=al), "simpo": dict(loss_type="simpo", beta=sb, cpo_alpha=0.0, simpo_gamma=sg), "cpo_simpo": dict(loss_type="simpo", beta=sb, cpo_alpha=al, simpo_gamma=sg)}
    S.all(todo, plain, run, pm, t, full=("cpo_sigmoid", "simpo"), curves=("cpo_sigmoid", "simpo")); [S.per_token(f"policy.{k}", completions(pm, rows, k)[0]) for k in keys]; return S
def kto():                                                      # 3
    pm = plain_model(); labels = [True, True, False, True, False, True, False, True]; paired = lambda rows: [dict(prompt=r["prompt"], completion=rows[i - 1]["completion"]) for i, r in enumerate(rows)]
    logp = lambda rows: sums(completions(pm, rows, "completion")[0]); ref_of = lambda rows: sums(reference(pm, rows, "completion"))
    def clear_kl(sign, n, k):                                   # draw rows until the KL estimate is clearly positive (or negative: clamped to 0)
        while True:
            r = random.Random(k); k += 1; rows = [dict(prompt=[1] + draw(r, 1, 11, ()), completion=draw(r, 1, 15), label=labels[i]) for i in range(n)]
            if sign * float((logp(paired(rows)).detach() - ref_of(paired(rows))).mean()) > 0.05: return rows
    if "kto" not in cache: cache["kto"] = clear_kl(1, 8, seed * 1000), clear_kl(-1, 5, seed * 2000)
    A, B = cache["kto"]; S = Store("kto", "trl.KTOTrainer / KTOConfig", rows=A, rows_clamped=B, kl_pairs="prompt i with the completion of row i-1 of the batch, prompt 0 with that of the last row"); opts = lambda l, b, d, u: dict(loss_type=l, beta=b, desirable_weight=d, undesirable_weight=u)
    def one_set(rows, todo, **kw):
        y, ref, ref_kl = torch.tensor([r["label"] for r in rows]), ref_of(rows), ref_of(paired(rows)); t = trainer(trl.KTOTrainer, trl.KTOConfig, rows, ("completion",))
        assert [i[m.bool()].tolist() for i, m in zip(t.full["KL_input_ids"], t.full["KL_attention_mask"])] == [r["prompt"] + r["completion"] for r in paired(rows)]
        def plain(loss_type, beta, desirable_weight, undesirable_weight):
            ls, es = completions(pm, rows, "completion"); lp = sums(ls); ratio = lp - ref; raw = torch.zeros(())
            if loss_type == "kto": raw = (logp(paired(rows)).detach() - ref_kl).mean()
            kl = raw.clamp(min=0); each = torch.where(y, 1 - torch.sigmoid(beta * (ratio - kl)), 1 - torch.sigmoid(beta * (kl - ratio)))       # apo_zero_unpaired is the same with kl = 0
            each = torch.where(y, desirable_weight, undesirable_weight) * each; rw = (beta * ratio).detach(); c, r = mean(rw[y]), mean(rw[~y])
            return each.mean(), dict(loss=each.tolist(), rewards=rw.tolist()), {"kl": float(kl), "kl_before_clamp": float(raw), "rewards/chosen": c, "rewards/rejected": r, "rewards/margins": c - r, "logps/chosen": mean(lp[y]), "logps/rejected": mean(lp[~y]), "entropy": mean(torch.cat(es))}
        def run(**o): t.calculate_KL = o["loss_type"] == "kto"; [setattr(t, k, x) for k, x in o.items()]; return measure(t, t.full)
        S.all(todo, plain, run, pm, t, **kw)
    first, *_ = sets = {f"kto_beta{k[0]}_weights{k[1]}_{k[2]}": opts("kto", *k) for k in H["kto"]}
    one_set(A, {**sets, "apo_zero_unpaired": opts("apo_zero_unpaired", H["kto"][0][0], 1.0, 1.0)}, full=(first,), curves=(first,)); one_set(B, {"kto_clamped": opts("kto", H["kto"][0][0], 1.0, 1.0)})
    for tag, rows in (("", A), (".kl_pairs", paired(A)), (".clamped", B), (".clamped.kl_pairs", paired(B))):
        S.per_token(f"policy{tag}", completions(pm, rows, "completion")[0]); S.per_token(f"reference{tag}", reference(pm, rows, "completion"))
    return S
def reward():                                                   # 4: Bradley-Terry reward model
    rows = make_pairs(4); margins = [0.25 * (i % 4) for i in range(len(rows))]; S = Store("reward", "trl.RewardTrainer / RewardConfig", rows=rows, margins=margins, adapter="adapter/: the LoRA and score.weight (PEFT task_type SEQ_CLS, modules_to_save score)")
    pm = plain_model("SEQ_CLS"); t = trainer(trl.RewardTrainer, trl.RewardConfig, [{**r, "margin": m} for r, m in zip(rows, margins)], ("chosen", "rejected"), task="SEQ_CLS"); S.tensors["score.weight"] = score
    def value(ids): m = pm.base_model.model; return m.score.modules_to_save["default"].weight[0] @ m.model(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0, -1]
    def plain(margin, center):
        c, r = (torch.stack([value(x["prompt"] + x[k]) for x in rows]) for k in ("chosen", "rejected")); each = -logsigmoid(c - r - (torch.tensor(margins) if margin else 0.0)) + center * (c + r) ** 2
        return each.mean(), dict(loss=each.tolist(), scores_chosen=c.tolist(), scores_rejected=r.tolist()), {"accuracy": mean(c > r), "margin": mean(c - r), "mean_reward": mean(torch.cat([c, r]))}
    def run(margin, center): t.args.center_rewards_coefficient = center or None; return measure(t, {k: v for k, v in t.full.items() if margin or k != "margin"})
    if dtype == F32: pm.save_pretrained(f"{out}/reward/{model_name}/adapter")
    S.all({"plain": dict(margin=False, center=0.0), "margin": dict(margin=True, center=0.0), "margin_center": dict(margin=True, center=H["center"])}, plain, run, pm, t, full=("plain",), curves=("margin_center",)); return S
def grpo():                                                     # 5: GRPO, BNPO, Dr. GRPO, DAPO; GSPO is the sequence level of the importance ratio
    r = random.Random(seed + 5); P, G, M = H["groups"], H["generations"], H["max_completion"]; n = P * G; pm = plain_model()       # every fourth completion is truncated, the last group has equal rewards
    rows = [dict(prompt=[1] + draw(r, 1, 9, ()), completions=[draw(r, 1, M - 1, (2,) if (g + p) % 4 else (3,)) for g in range(G)], rewards=[round(r.uniform(-1, 2), 2) if p < P - 1 else 0.5 for _ in range(G)]) for p in range(P)]
    flat = [dict(prompt=x["prompt"], completion=c, reward=w) for x in rows for c, w in zip(x["completions"], x["rewards"])]; lens = [len(x["completion"]) for x in flat]
    truncated = [x["completion"][-1] != 2 for x in flat]; R = torch.tensor([x["reward"] for x in flat]); ref = reference(pm, flat, "completion")
    S = Store("grpo", "trl.GRPOTrainer / GRPOConfig (temperature 1)", rows=rows, max_completion_length=M, truncated=truncated)
    def advantages(scale):
        a = (R.view(P, G) - R.view(P, G).mean(1, keepdim=True)).flatten(); std = R.view(P, G).std(1).repeat_interleave(G) if scale == "group" else R.std()       # n-1 in the denominator
        return a if scale == "none" else a / (std + 1e-4)
    def clear_old(now, A, k):                                   # current log p with noise by token and by sequence, redrawn until both levels are clipped on both sides and no ratio is near a clip
        while True:
            g = torch.Generator().manual_seed(k); k += 1; old = [(l + 0.15 * torch.randn(len(l), generator=g) + 0.06 * torch.randn(1, generator=g)).to(F32) for l in now]; d = [l - o for l, o in zip(now, old)]
            W = [(torch.cat(d).exp(), torch.cat([a.expand(len(x)) for a, x in zip(A, d)]), H["clip"]["token"]), (means(d).exp(), A, H["clip"]["sequence"])]
            if all(((w < 1 - e[0]) & (a < 0)).any() and ((w > 1 + e[1]) & (a > 0)).any() and min(abs(w - 1 + e[0]).min(), abs(w - 1 - e[1]).min()) > 5e-4 for w, a, e in W): return old
    old = [x.to(dtype) for x in cache.get("old") or clear_old([l.detach() for l in completions(pm, flat, "completion")[0]], advantages("group"), seed)]; cache["old"] = [x.to(F32) for x in old]
    def plain(loss_type, level, beta, scale, mask_truncated, clip, kl_correction=True, accumulation=1):
        A = advantages(scale); ls, es = completions(pm, flat, "completion"); keep = [not (mask_truncated and x) for x in truncated]; ratios, each, kls = [], [], []
        for i in range(n):
            d = (ls[i] - old[i]) * keep[i]; w = torch.exp(d if level == "token" else d.mean().expand(lens[i])); q = ref[i] - ls[i]; k = (torch.exp(q) - q - 1) * (w if kl_correction else 1.0)
            policy = -torch.min(w * A[i], w.clamp(1 - clip[0], 1 + clip[1]) * A[i]); each.append((policy + beta * k) * keep[i]); kls.append(k.detach()); ratios.append(w.detach() if level == "token" else w.detach()[:1])
        size = n // accumulation; tokens = [x * k for x, k in zip(lens, keep)]; loss = 0.0
        for s in (slice(b, b + size) for b in range(0, n, size)):       # the micro-batches of one optimizer step
            total = torch.cat(each[s]).sum(); loss = loss + dict(grpo=means(each[s]).mean() / accumulation, bnpo=total / sum(tokens[s]) / accumulation, dr_grpo=total / (size * M) / accumulation, dapo=total / sum(tokens))[loss_type]
        counted = [i for i in range(n) if keep[i] or level == "sequence"]; W, Aw = torch.cat([ratios[i] for i in counted]), torch.cat([A[i].expand(len(ratios[i])) for i in counted])
        low, high = (W < 1 - clip[0]) & (Aw < 0), (W > 1 + clip[1]) & (Aw > 0)
        batch = {"clip_ratio/low_mean": mean(low), "clip_ratio/high_mean": mean(high), "clip_ratio/region_mean": mean(low | high), "entropy": mean(torch.cat([e for e, k in zip(es, keep) if k])), **({"kl": mean(torch.cat([k for k, x in zip(kls, keep) if x]))} if beta else {})}
        return loss, dict(loss=[mean(e) for e in each], ratio=[mean(w) for w in ratios], kl=[mean(k) for k in kls]), batch
    t = trainer(trl.GRPOTrainer, trl.GRPOConfig, [{"prompt": x["prompt"]} for x in rows], (), n=n, reward_funcs=[lambda **_: R.tolist()], opts=dict(num_generations=G, max_completion_length=M, beta=H["kl"], shuffle_dataset=False),
                rollout_func=lambda *_: dict(prompt_ids=[x["prompt"] for x in flat], completion_ids=[x["completion"] for x in flat], logprobs=None))
    scored, prompts = t._generate_and_score_completions, [{"prompt": text(x["prompt"])} for x in flat]
    t._generate_and_score_completions = with_old = lambda inputs: {**scored(inputs), "old_per_token_logps": torch.nn.utils.rnn.pad_sequence(old, batch_first=True)}
    def run(loss_type, level, beta, scale, mask_truncated, clip, kl_correction=True, accumulation=1):
        t.loss_type, t.importance_sampling_level, t.beta, t.scale_rewards, t.mask_truncated_completions, (t.epsilon_low, t.epsilon_high), t.args.use_bias_correction_kl = loss_type, level, beta, scale, mask_truncated, clip, kl_correction
        b = with_old(prompts); size = n // accumulation; t.current_gradient_accumulation_steps = t.args.steps_per_generation = accumulation; S.agreed("advantages", advantages=float(abs(b["advantages"] - advantages(scale)).max()))
        parts = [measure(t, {k: v[i:i + size] if v.ndim else v for k, v in b.items()}) for i in range(0, n, size)]; t.current_gradient_accumulation_steps = t.args.steps_per_generation = 1
        return sum(l for l, _ in parts), parts[0][1] if accumulation == 1 else {}
    E, types, name = H["clip"], ("grpo", "bnpo", "dr_grpo", "dapo"), lambda l, lv, b, s, mt=False: f"{l}_{lv}_beta{b}_scale_{s}" + "_masked" * mt
    todo = {name(l, lv, b, s, mt): dict(loss_type=l, level=lv, beta=b, scale=s, mask_truncated=mt, clip=E[lv]) for lv in E for s in ("group", "none", "batch") for b in (H["kl"], 0.0) for mt in (False, True) for l in types}
    todo |= {name(l, lv, H["kl"], "group") + "_k3": dict(todo[name(l, lv, H["kl"], "group")], kl_correction=False) for lv in E for l in types}      # the bare k3 estimator
    todo |= {name(l, "token", H["kl"], "group", True) + "_accumulate2": dict(todo[name(l, "token", H["kl"], "group", True)], accumulation=2) for l in types}
    main = lambda o: o["scale"] == "group" and (o["beta"] > 0 or o["loss_type"] == "grpo") and (not o["mask_truncated"] or o["loss_type"] in ("grpo", "dr_grpo"))
    heads = [name("grpo", lv, H["kl"], "group") for lv in E]; S.all(todo, plain, run, pm, t, full=heads[:1], curves=heads + [heads[0] + "_k3"], keep=lambda o: "probe" if main(o) else "none")
    for v in S.variants.values(): v["rows"] = v["rows"] if main(v["options"]) else {}
    S.head["advantages"] = {s: [num(x) for x in advantages(s)] for s in ("none", "group", "batch")}; [S.per_token(k, x) for k, x in (("policy", completions(pm, flat, "completion")[0]), ("old", old), ("reference", ref))]; return S
results = {}                                                    # both precisions, then the files
for dtype in (torch.float64, F32):                              # transformers names torch.float32 in its norms and softmax: an alias makes that float64 as well
    torch.set_default_dtype(dtype); torch.float32 = dtype; trl_utils._ChunkedLogProbFunction = Fused64 if dtype == torch.float64 else fused32
    for make in (dpo, orpo, cpo, kto, reward, grpo):
        if not wanted or make.__name__ in wanted: S = make(); results.setdefault(make.__name__, []).append(S); print(model_name, make.__name__, str(dtype)[6:], {k: f"{x:.1e}" for k, x in S.agree.items()}, flush=True)
line = lambda o: json.dumps(o, separators=(",", ":")); block = lambda o: "{\n" + ",\n".join(f"  {line(k)}: {line(v)}" for k, v in o.items()) + "\n }"
for objective, (S64, S) in results.items():
    d = f"{out}/{objective}/{model_name}"; os.makedirs(d, exist_ok=True); save_file({k: v.detach().float().contiguous().clone() for k, v in S.tensors.items()}, f"{d}/golden.safetensors")
    for k, v in S.variants.items(): v["loss_float64"] = S64.variants[k]["loss"]
    doc = {**S.head, "optimizer": OPT, **{f"agreement_{k}": {n: float(f"{x:.2g}") for n, x in s.agree.items()} for k, s in (("float64", S64), ("float32", S))}}
    with open(f"{d}/golden.json", "w") as f: f.write("{\n" + ",\n".join([f" {line(k)}: {line(v)}" for k, v in doc.items()] + [f' "variants": {block(S.variants)}', f' "curves": {block(S.curves)}']) + "\n}\n")
