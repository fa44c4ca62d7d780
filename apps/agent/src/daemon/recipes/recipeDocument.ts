/** One recipe that people edit together: a Yjs document, seeded once from the file and written back to it. */
import { UserError } from '@anneal/core/errors';
import type { RecipeFileState } from '@anneal/core/protocol/studio';
import type { TextEdit } from '@anneal/core/recipe/edit';
import * as Y from 'yjs';
import { type DocumentState, readDocumentState, writeDocumentState } from './documentState.ts';
import { applyChanges, foreignIn, textOf } from './documentText.ts';
import { contentOf, type FileContent, readRecipeFile, stampOf, writeRecipeFile } from './recipeFile.ts';
import { RecipeHistory } from './recipeHistory.ts';
import { type TextChange, textChanges } from './textChanges.ts';

/** Of a file: how long nobody has to have typed, and how long its text may be behind at most. */
const pauseMilliseconds = 400;
const longestMilliseconds = 2000;
const lookEveryMilliseconds = 500;
/** A version is kept of a text that has been edited for so long. */
const versionEveryMilliseconds = 10 * 60_000;

/** Where a document belongs. */
export interface RecipePlace {
  key: string;
  path: string;
  /** Of the agent's state, for this recipe. */
  folder: string;
}

/** What a transaction has as its origin that comes from the file or from the agent. */
const agentOrigin = 'agent';

export class RecipeDocument {
  readonly history: RecipeHistory;
  readonly #place: RecipePlace;
  readonly #document: Y.Doc;
  readonly #text: Y.Text;
  readonly #tell: (state: RecipeFileState) => void;
  /** Who has edited since the newest version. */
  readonly #editors = new Set<string>();
  #saved: DocumentState;
  #lineEnd: FileContent['lineEnd'] = '\n';
  #state: RecipeFileState;
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #stamp: string | undefined;
  #waitingSince: number | undefined;
  #closing: Promise<void> | undefined;
  /** What reads and writes the file does so one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    place: RecipePlace,
    document: Y.Doc,
    saved: DocumentState,
    tell: (state: RecipeFileState) => void,
  ) {
    this.#place = place;
    this.#document = document;
    this.#text = textOf(document);
    this.#saved = saved;
    this.#tell = tell;
    this.history = new RecipeHistory(place.folder);
    this.#state = { file: 'written', error: null, merged: false, newestVersion: this.history.newest?.at ?? null };
  }

  /**
   * Fills an empty document. What has happened to the file meanwhile is merged.
   * @throws UserError where the file cannot be read
   */
  static async load(
    place: RecipePlace,
    document: Y.Doc,
    tell: (state: RecipeFileState) => void,
  ): Promise<RecipeDocument> {
    const saved = readDocumentState(place.folder);
    if (!saved) throw new Error(`${place.key} has no document`);
    Y.applyUpdate(document, saved.update, agentOrigin);
    const recipe = new RecipeDocument(place, document, saved, tell);
    await recipe.#lookAtFile();
    recipe.#text.observe(recipe.#onChange);
    recipe.#watch = setInterval(() => recipe.#inBackground(() => recipe.#lookIfChanged()), lookEveryMilliseconds);
    return recipe;
  }

  get path(): string {
    return this.#place.path;
  }

  get state(): RecipeFileState {
    return this.#state;
  }

  get text(): string {
    return this.#text.toString();
  }

  /** How large a state the document has, about. */
  get size(): number {
    return this.#saved.update.length + this.#text.length;
  }

  edited(by: string): void {
    this.#editors.add(by);
  }

  /** Brings the file up to date. @throws UserError where that is not possible */
  async write(): Promise<void> {
    await this.#inTurn(() => this.#write({ create: true }));
    if (this.#state.error) throw new UserError(this.#state.error);
  }

  /**
   * Keeps what the text is now as a version, and returns it; brings the file up to date, also where it was removed.
   * @throws UserError where that is not possible
   */
  async save(why: 'saved' | 'started', by?: string): Promise<string> {
    if (by !== undefined) this.#editors.add(by);
    const { text } = this;
    await this.write();
    this.#keep(why, text);
    return text;
  }

  /** Changes the text for everybody who edits it. */
  async edit(edit: TextEdit, by: string): Promise<void> {
    this.#change([edit]);
    this.#editors.add(by);
    await this.write();
  }

  /** Makes the text what it was in a version; what it is now is kept, too. */
  async restore(sha256: string, by?: string): Promise<void> {
    const text = this.history.text(sha256);
    this.#keep('edited');
    this.#change(textChanges(this.text, text));
    if (by !== undefined) this.#editors.add(by);
    this.#keep('restored');
    await this.write();
  }

  /** Makes the text another one, as if this person had written it; what it is now is kept. */
  async replace(text: string, by: string): Promise<void> {
    this.#keep('edited');
    this.#change(textChanges(this.text, text));
    await this.save('saved', by);
  }

  /** Brings the file up to date and looks at it no more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#watch);
    this.#text.unobserve(this.#onChange);
    clearTimeout(this.#timer);
    await this.#inTurn(() => this.#write());
    if (this.#editors.size > 0) this.#keep('edited');
  }

  #keep(why: 'saved' | 'started' | 'edited' | 'restored', text = this.text): void {
    this.#addVersion(text, why, [...this.#editors].sort());
    this.#editors.clear();
  }

  #addVersion(...version: Parameters<RecipeHistory['add']>): void {
    this.history.add(...version);
    const newestVersion = this.history.newest?.at ?? null;
    if (newestVersion !== this.#state.newestVersion) this.#setState({ newestVersion });
  }

  #change(changes: readonly TextChange[]): void {
    this.#document.transact(() => applyChanges(this.#text, changes), agentOrigin);
  }

  readonly #onChange = (event: Y.YTextEvent): void => {
    const foreign = foreignIn(event);
    // Only after this transaction can there be another.
    if (foreign.length > 0) queueMicrotask(() => this.#change(foreign));
    this.#schedule();
  };

  #schedule(): void {
    if (this.#state.file === 'missing') return;
    if (this.#state.file === 'written') this.#setState({ file: 'pending', error: null });
    this.#waitingSince ??= performance.now();
    const left = this.#waitingSince + longestMilliseconds - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#inBackground(() => this.#write()),
      Math.max(0, Math.min(pauseMilliseconds, left)),
    );
  }

  /** What fails is told to those who edit; nobody else waits for it. */
  #inBackground(work: () => Promise<unknown>): void {
    this.#inTurn(work).catch((cause: Error) => {
      const { code, what } = cause instanceof UserError ? cause : { code: 'unexpected', what: cause.message };
      this.#setState({ file: 'failed', error: { code, what, where: this.#place.path } });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #lookIfChanged(): Promise<void> {
    if ((await stampOf(this.#place.path)) !== this.#stamp) await this.#lookAtFile();
  }

  /** Merges what somebody has done to the file from outside. Undefined where there is no file. */
  async #lookAtFile(): Promise<FileContent | undefined> {
    let file: FileContent | undefined;
    // Before it is read: what is written meanwhile is looked at next time.
    this.#stamp = await stampOf(this.#place.path);
    try {
      file = await readRecipeFile(this.#place.path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#setState({ file: 'failed', error: error.toJSON() });
      return undefined;
    }
    if (!file) {
      this.#setState({ file: 'missing', error: null });
      return undefined;
    }
    this.#lineEnd = file.lineEnd;
    if (this.#state.file === 'missing' || this.#state.file === 'failed')
      this.#setState({ file: 'pending', error: null });
    const isWritten = file.sha256 === this.#saved.written;
    const hasToBeWritten = file.sha256 === this.#saved.before;
    if (!isWritten && !hasToBeWritten) this.#merge(file);
    if (this.text !== file.text) this.#schedule();
    else if (this.#state.file !== 'written') this.#setState({ file: 'written', error: null });
    return file;
  }

  /** As if whoever has changed the file had begun from what was last written, beside everybody else. */
  #merge(file: FileContent): void {
    const theirs = new Y.Doc();
    Y.applyUpdate(theirs, this.#saved.update);
    const known = Y.encodeStateVector(theirs);
    const text = textOf(theirs);
    theirs.transact(() => applyChanges(text, textChanges(text.toString(), file.text)));
    const update = Y.encodeStateAsUpdate(theirs, known);
    // Before anybody has it: it must not be made a second time.
    this.#remember({ ...this.#saved, update: Y.encodeStateAsUpdate(theirs), written: file.sha256, before: null });
    this.#addVersion(file.text, 'outside');
    Y.applyUpdate(this.#document, update, agentOrigin);
    this.#setState({ merged: true });
  }

  async #write({ create = false } = {}): Promise<void> {
    clearTimeout(this.#timer);
    this.#waitingSince = undefined;
    const file = await this.#lookAtFile();
    clearTimeout(this.#timer);
    this.#waitingSince = undefined;
    if (!file && !(create && this.#state.file === 'missing')) return;
    const content = contentOf(this.text, this.#lineEnd);
    if (content.sha256 !== file?.sha256) {
      try {
        // First the state: an agent that is killed in between finds the old file, and writes it.
        const update = Y.encodeStateAsUpdate(this.#document);
        this.#remember({ id: this.#saved.id, update, written: content.sha256, before: file?.sha256 ?? null }, create);
        writeRecipeFile(this.#place.path, content.written, create);
        // From now on a file as it was before is somebody's wish.
        this.#remember({ ...this.#saved, before: null }, create);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        this.#setState({ file: 'failed', error: error.toJSON() });
        return;
      }
    }
    this.#setState({ file: 'written', error: null, merged: false });
    const { newest } = this.history;
    if (newest && Date.now() - Date.parse(newest.at) > versionEveryMilliseconds) this.#keep('edited');
  }

  #remember(state: DocumentState, sync = false): void {
    writeDocumentState(this.#place.folder, state, sync);
    this.#saved = state;
  }

  #setState(change: Partial<RecipeFileState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell(this.#state);
  }
}
