//! Slices: immutable, shared, with a nil form.

use crate::{Elem, NamedType, Str, Value, drop_deep};
use std::borrow::Cow;
use std::sync::Arc;

/// What Go calls the list's type.
#[derive(Clone, Copy, Debug)]
pub struct ListType {
    /// The element type.
    pub elem: Elem,
    /// The named type, for those few slices that have methods.
    pub named: Option<&'static NamedType>,
}

impl ListType {
    /// `[]interface {}`.
    pub const ANY: ListType = ListType::of(Elem::Any);
    /// `[]string`.
    pub const STRINGS: ListType = ListType::of(Elem::String);
    /// `[]int`.
    pub const INTS: ListType = ListType::of(Elem::Int);
    /// `[][]interface {}`.
    pub const LISTS: ListType = ListType::of(Elem::List);

    /// An unnamed slice type.
    pub const fn of(elem: Elem) -> ListType {
        ListType { elem, named: None }
    }

    /// Go's name of the type.
    pub fn name(&self) -> Cow<'static, str> {
        match (self.named, self.elem) {
            (Some(named), _) => Cow::Borrowed(named.name),
            (None, Elem::Any) => Cow::Borrowed("[]interface {}"),
            (None, Elem::String) => Cow::Borrowed("[]string"),
            (None, Elem::Int) => Cow::Borrowed("[]int"),
            (None, elem) => Cow::Owned(format!("[]{}", elem.name())),
        }
    }

    pub(crate) fn same(&self, other: &ListType) -> bool {
        self.elem == other.elem && self.named.map(|n| n.name) == other.named.map(|n| n.name)
    }
}

#[derive(Debug)]
struct ListCell {
    ty: ListType,
    nil: bool,
    items: Vec<Value>,
}

impl Drop for ListCell {
    fn drop(&mut self) {
        if self.items.iter().any(Value::is_container) {
            drop_deep(std::mem::take(&mut self.items));
        }
    }
}

/// A Go slice other than `[]uint8`.
///
/// ```
/// use bowsprit_value::{List, Value};
///
/// let list = List::new(vec![Value::int(1)]).pushed(Value::int(2));
/// assert_eq!(list.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct List(Arc<ListCell>);

impl List {
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// A `[]interface {}`.
    pub fn new(items: Vec<Value>) -> List {
        List::typed(ListType::ANY, items)
    }

    /// A slice of a given type; the items must be of its element type.
    pub fn typed(ty: ListType, items: Vec<Value>) -> List {
        List(Arc::new(ListCell { ty, nil: false, items }))
    }

    /// A `[]string`.
    pub fn strings(items: impl IntoIterator<Item = Str>) -> List {
        List::typed(ListType::STRINGS, items.into_iter().map(Value::Str).collect())
    }

    /// The nil slice of a type.
    pub fn nil(ty: ListType) -> List {
        List(Arc::new(ListCell { ty, nil: true, items: Vec::new() }))
    }

    /// True for a nil slice, which is empty and encodes as JSON `null`.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The slice's type.
    pub fn ty(&self) -> ListType {
        self.0.ty
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.0.items.len()
    }

    /// True without items; nil or not.
    pub fn is_empty(&self) -> bool {
        self.0.items.is_empty()
    }

    /// The item at an index.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.0.items.get(index)
    }

    /// All items.
    pub fn as_slice(&self) -> &[Value] {
        &self.0.items
    }

    /// Iterates over the items.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.items.iter()
    }

    /// A `[]interface {}` with one more item; reuses the storage where nobody else holds it.
    pub fn pushed(mut self, item: Value) -> List {
        if self.0.ty.same(&ListType::ANY)
            && !self.0.nil
            && let Some(cell) = Arc::get_mut(&mut self.0)
        {
            cell.items.push(item);
            return self;
        }
        let mut items = Vec::with_capacity(self.len() + 1);
        items.extend_from_slice(self.as_slice());
        items.push(item);
        List::new(items)
    }

    /// True where nobody else holds the list, so that [`List::pushed`] and [`List::into_items`] need
    /// not copy it.
    pub fn is_unique(&mut self) -> bool {
        Arc::get_mut(&mut self.0).is_some()
    }

    /// The items, without copying them where nobody else holds the list.
    pub fn into_items(mut self) -> Vec<Value> {
        match Arc::get_mut(&mut self.0) {
            Some(cell) => std::mem::take(&mut cell.items),
            None => self.as_slice().to_vec(),
        }
    }

    /// True where both are the same storage.
    pub fn ptr_eq(&self, other: &List) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A number that tells lists apart while they live.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether this is the only reference.
    pub(crate) fn is_of_one(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    pub(crate) fn dismantle(self, pending: &mut Vec<Value>) {
        if let Some(mut cell) = Arc::into_inner(self.0) {
            pending.append(&mut cell.items);
        }
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
