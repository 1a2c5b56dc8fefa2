// Which keys are meant for the browser, and which for the notebook around it.

const MARK = "data-lm-suppress-shortcuts";
const EDITING = "acvxyz";

/**
 * Keep the keys that are typed in here from JupyterLab's shortcuts; chords such as the one for saving stay JupyterLab's.
 * @param {HTMLElement} root
 * @returns {function()} Ends it.
 */
export function holdKeys(root) {
  // JupyterLab looks at a key on the document, before it gets here, and leaves alone what is marked then.
  const mark = (event) => {
    if (root.contains(event.target)) root.toggleAttribute(MARK, isOwnKey(event));
  };
  const hold = (event) => {
    if (isOwnKey(event)) event.stopPropagation();
  };
  root.setAttribute(MARK, "");
  window.addEventListener("keydown", mark, true);
  root.addEventListener("keydown", hold);
  return () => {
    window.removeEventListener("keydown", mark, true);
    root.removeEventListener("keydown", hold);
    root.removeAttribute(MARK);
  };
}

/** Whether a key does something here: every plain one, and the chords a person edits with where there is text. */
export function isOwnKey({ key, ctrlKey, metaKey, shiftKey, target }) {
  if (!ctrlKey && !metaKey) return true;
  if (!isTextField(target)) return false;
  return key.length > 1 || (EDITING.includes(key.toLowerCase()) && (!shiftKey || key.toLowerCase() === "z"));
}

/** Whether an element is one a person types into. */
export function isTextField(element) {
  return element.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])");
}
