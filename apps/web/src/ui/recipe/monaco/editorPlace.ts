/** As high as an editor with much to show (`heightFor` in CodeEditor.tsx): what is below is not moved when one comes. */
export const editorPlace = 'min-h-[max(340px,calc(100vh-500px))] lg:min-h-[max(420px,calc(100vh-250px))]';
/** Of text and form, which stand below each other where the page has one column. */
export const bothPlaces = 'min-h-[calc(2*max(340px,100vh-500px))] lg:min-h-[max(420px,calc(100vh-250px))]';
