import 'monaco-yaml/yaml.worker.js';

postMessage('ready');
