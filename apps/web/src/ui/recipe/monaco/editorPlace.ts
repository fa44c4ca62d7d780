/** As high as an editor with much to show (`leastHeight` and `besideEditor` in CodeEditor.tsx): what is below is not moved when one comes. */
export const editorPlace = 'min-h-[max(420px,calc(100vh-250px))]';
