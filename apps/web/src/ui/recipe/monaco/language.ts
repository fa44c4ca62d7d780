/** What Monaco knows of recipes: their schema, asked in a worker. */
import { configureMonacoYaml, type MonacoYaml, type SchemasSettings } from 'monaco-yaml';
import { monaco } from './features.ts';

type Schema = NonNullable<SchemasSettings['schema']>;

let configured: MonacoYaml | undefined;
/** By the kind of recipe, which is the name of its text. */
const schemas = new Map<string, SchemasSettings>();

/** monaco-yaml asks for a worker by the name of a module, which Monaco no longer understands. */
const forYaml = {
  ...monaco,
  editor: {
    ...monaco.editor,
    createWebWorker: ({ createData }: { createData: unknown }) =>
      monaco.editor.createWebWorker({ worker: yamlWorker(createData) }),
  },
};

self.MonacoEnvironment = {
  getWorker: () =>
    ready(new Worker(new URL('./editor.worker.ts', import.meta.url), { type: 'module', name: 'editor' })),
};

/** Completion and hover texts for every recipe of a kind. What is wrong is said by the agent, as on the command line. */
export function knowRecipes(kind: string, schema: object): void {
  if (schemas.has(kind)) return;
  const uri = `https://anneal.invalid/${kind}.schema.json`;
  schemas.set(kind, { uri, fileMatch: [textOf(kind).path], schema: forHovering(schema as Schema) });
  const options = {
    schemas: [...schemas.values()],
    validate: false,
    format: { enable: false },
    hoverSchemaSource: false,
    disableDefaultProperties: true,
  };
  if (configured) void configured.update(options);
  else configured = configureMonacoYaml(forYaml as unknown as Parameters<typeof configureMonacoYaml>[0], options);
}

/** What Monaco calls the text of a recipe of that kind. */
export function textOf(kind: string): monaco.Uri {
  return monaco.Uri.parse(`file:///${kind}.yaml`);
}

/** Without what a hover text would say a second time: the title of the whole, and choices, which are listed below it. */
function forHovering(schema: Schema): Schema {
  const { title: _, ...untitled } = schema;
  const shortened = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(shortened);
    if (typeof node !== 'object' || node === null) return node;
    const inside = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, shortened(value)])) as Schema;
    const hasChoices = [inside, ...(inside.anyOf ?? [])].some((each) => typeof each === 'object' && each.enum);
    if (!hasChoices || inside.description === undefined) return inside;
    return { ...inside, description: inside.description.replace(/\n\nValue: [^\n]*/, '') };
  };
  return shortened(untitled) as Schema;
}

/** Its first message only wakes it, and the second is what it works with. */
async function yamlWorker(createData: unknown): Promise<Worker> {
  const worker = await ready(
    new Worker(new URL('./yaml.worker.ts', import.meta.url), { type: 'module', name: 'yaml' }),
  );
  worker.postMessage('wake');
  worker.postMessage(createData);
  return worker;
}

/** What is sent before a worker listens is lost: ours say when they do. */
function ready(worker: Worker): Promise<Worker> {
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', () => resolve(worker), { once: true });
    worker.addEventListener('error', ({ message }) => reject(new Error(`a worker failed to start: ${message}`)));
  });
}
