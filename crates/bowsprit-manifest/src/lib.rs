//! Rendered objects: document split, head, hooks, install and uninstall order.
