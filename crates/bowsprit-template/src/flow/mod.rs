//! What templates could read, found without running them.
//!
//! [`Flow`] follows values through all branches of a set's templates: through fields, variables, loops,
//! `with`, `dict` and the templates that are called. It notes which keys are read, and which values are
//! used as a whole, in a tree of [`Place`]s that the caller begins. It errs on the side of reading: a
//! value whose way can't be followed counts as used as a whole.
//!
//! The crate knows no function but Go's own; what others do with their arguments the caller says with
//! an [`Effect`].
//!
//! ```
//! use bowsprit_template::{Functions, TemplateSet};
//! use bowsprit_template::flow::{Effect, Flow};
//! use std::sync::Arc;
//!
//! let mut set = TemplateSet::new(Arc::new(Functions::builtins()));
//! set.parse("a", b"{{ if .on }}{{ range .list }}{{ .name }}{{ end }}{{ end }}")?;
//! let effects = |_: &str| Effect::Consume;
//! let mut flow = Flow::new(&set, &effects);
//! let root = flow.tracked();
//! flow.run(b"a", root);
//! let list = flow.child(root, b"list").unwrap();
//! let item = flow.child(list, b"3").unwrap();
//! assert!(flow.is_read(flow.child(item, b"name").unwrap()));
//! assert!(flow.child(item, b"port").is_none());
//! # Ok::<(), bowsprit_template::ParseError>(())
//! ```

mod abstracted;
mod machine;

pub use abstracted::Place;

use crate::set::TemplateSet;
use abstracted::{Abstract, Node, NodeKind};
use bowsprit_value::Str;
use std::collections::{HashMap, HashSet};

/// What a function does with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Uses all of them as a whole; its result leads nowhere. What is not known does this.
    Consume,
    /// Looks at them, but not at what is inside: `empty`, `kindIs`.
    Inspect,
    /// Gives one of them, or something that has their keys: `default`, `omit`.
    Pass,
    /// Lets the first take up the keys of the others, and gives it: `merge`.
    Merge,
    /// Gives one of their elements or a list of these: `first`, `without`.
    Part,
    /// Makes a map of keys and values in turn: `dict`.
    Dict,
    /// Makes a list: `list`.
    List,
    /// Reads the key that the second argument names in the first: `get`, `hasKey`.
    Key,
    /// Sets the key that the second argument names in the first: `set`.
    Set,
    /// Reads a path of keys; the value in which comes last, after a default: `dig`.
    Dig,
    /// Reads the key that the first argument names in all others: `pluck`.
    Pluck,
    /// Reads all keys: `values`, `keys`.
    Elements,
}

/// Where in a template something is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file that the template is in.
    pub file: Str,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in bytes.
    pub column: usize,
}

/// The analysis of a set of templates.
pub struct Flow<'s> {
    set: &'s TemplateSet,
    effects: &'s dyn Fn(&str) -> Effect,
    nodes: Vec<Node>,
    /// The maps and lists that instructions make.
    makers: HashMap<(usize, usize), Place>,
    /// Methods that give their receiver in another type.
    views: Vec<&'static str>,
    /// Calls that have been followed in this pass.
    done: HashSet<(usize, Vec<Place>)>,
    /// Whether templates may be missing that are there when it counts.
    incomplete: bool,
    /// How deeply calls are nested.
    depth: u32,
    /// Whether something was noted that was not known before.
    changed: bool,
    work: u64,
    gave_up: bool,
}

impl std::fmt::Debug for Flow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("places", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// Instructions that an analysis may follow; far beyond what charts need.
const MAX_WORK: u64 = 20_000_000;

impl<'s> Flow<'s> {
    /// An analysis in which nothing has been followed yet.
    pub fn new(set: &'s TemplateSet, effects: &'s dyn Fn(&str) -> Effect) -> Flow<'s> {
        Flow {
            set,
            effects,
            nodes: Vec::new(),
            makers: HashMap::new(),
            done: HashSet::new(),
            incomplete: false,
            depth: 0,
            changed: false,
            views: Vec::new(),
            work: 0,
            gave_up: false,
        }
    }

    /// Says of a method, called without arguments, that it gives its receiver in another type.
    pub fn add_view(&mut self, method: &'static str) {
        self.views.push(method);
    }

    /// Says that templates may be missing: what is given to one that is not defined counts as used.
    pub fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// A new value of which is noted what is read.
    pub fn tracked(&mut self) -> Place {
        self.place(NodeKind::Tracked)
    }

    /// A new map that is not tracked itself, but whose fields may be.
    pub fn object(&mut self) -> Place {
        self.place(NodeKind::Made)
    }

    /// Puts a place below another one under a key.
    pub fn link(&mut self, place: Place, key: &[u8], child: Place) {
        if let Some(node) = self.nodes.get_mut(place.index()) {
            node.children.insert(Str::from(key), vec![child]);
        }
    }

    /// Follows a template with a place as its dot.
    pub fn run(&mut self, template: &[u8], dot: Place) {
        if let Some(template) = self.set.get(template).cloned() {
            self.call(&template, Abstract::of(dot));
        }
    }

    /// Follows a text as `tpl` would run it. What can't be parsed is passed over.
    pub fn run_text(&mut self, text: &[u8], dot: Place) {
        self.call_text(&Str::from(text), Abstract::of(dot));
    }

    /// Whether anything new was noted since this was asked last; forgets what has been followed.
    /// Templates that change what others read make a second round necessary.
    pub fn next_round(&mut self) -> bool {
        self.done.clear();
        std::mem::take(&mut self.changed)
    }

    /// Whether the analysis ended before everything was followed; then nothing can be said.
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// The place of a key that is read or below which something is: its own, or that of all keys.
    pub fn child(&self, place: Place, key: &[u8]) -> Option<Place> {
        self.children_of(place, key).next()
    }

    /// The places of a key: its own and that of all keys.
    pub fn children_of(&self, place: Place, key: &[u8]) -> impl Iterator<Item = Place> + '_ {
        let node = self.nodes.get(place.index());
        let own = node.and_then(|n| n.children.get(key)).into_iter().flatten().copied();
        own.chain(node.and_then(|n| n.any)).collect::<Vec<_>>().into_iter()
    }

    /// The keys that are read right below a place, by name.
    pub fn keys(&self, place: Place) -> impl Iterator<Item = (&Str, Place)> {
        let node = self.nodes.get(place.index());
        node.into_iter().flat_map(|n| n.children.iter()).filter_map(|(k, c)| Some((k, *c.first()?)))
    }

    /// The place that all keys lead to, where keys are computed or gone through.
    pub fn any(&self, place: Place) -> Option<Place> {
        self.nodes.get(place.index())?.any
    }

    /// Whether the value is read.
    pub fn is_read(&self, place: Place) -> bool {
        self.nodes.get(place.index()).is_some_and(|n| n.read)
    }

    /// Whether the value is used with all that is inside it.
    pub fn is_whole(&self, place: Place) -> bool {
        self.nodes.get(place.index()).is_some_and(|n| n.whole)
    }

    /// Where the value is read first.
    pub fn origin(&self, place: Place) -> Option<&Origin> {
        self.nodes.get(place.index())?.origin.as_ref()
    }

    /// Notes a read from outside of the templates.
    pub fn mark_read(&mut self, place: Place, path: &[&[u8]]) -> Place {
        let mut at = place;
        for key in path {
            let found = self.field_of(at, key, None);
            let Some(next) = found.places().first().copied() else { return at };
            at = next;
        }
        at
    }

    /// Notes that a value is used as a whole outside of the templates.
    pub fn mark_whole(&mut self, place: Place) {
        self.consume(&Abstract::of(place));
    }
}
