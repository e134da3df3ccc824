//! Values with parts, walked with an explicit stack.

use super::printer::Printer;
use crate::map::Entries;
use crate::path::Path;
use crate::{FuncError, Kind, List, Object, Value};
use std::borrow::Cow;

enum Frame {
    List { list: List, next: usize },
    Map { entries: Entries, next: usize, id: usize },
    Struct { fields: Vec<(&'static str, Value)>, next: usize },
}

/// What a frame has next.
enum Step {
    Item(Value),
    End,
}

impl Printer<'_> {
    /// Prints any value. At the `top`, pointers to structs are followed.
    pub(super) fn print_value(
        &mut self,
        value: &Value,
        verb: char,
        top: bool,
    ) -> Result<(), FuncError> {
        if self.print_basic(value, verb, top)? {
            return Ok(());
        }
        let mut path = Path::default();
        let mut stack = Vec::new();
        self.open(value, top, &mut stack, &mut path)?;
        while let Some(frame) = stack.last_mut() {
            self.charge()?;
            match self.step(frame, verb) {
                Step::Item(item) => {
                    if !self.print_basic(&item, verb, false)? {
                        self.open(&item, false, &mut stack, &mut path)?;
                    }
                }
                Step::End => {
                    self.out.push(match frame {
                        Frame::Struct { .. } => b'}',
                        _ if self.flags.sharp_v => b'}',
                        _ => b']',
                    });
                    if let Frame::Map { id, .. } = frame {
                        path.leave(*id);
                    }
                    stack.pop();
                }
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        value: &Value,
        top: bool,
        stack: &mut Vec<Frame>,
        path: &mut Path,
    ) -> Result<(), FuncError> {
        let name = value.type_name();
        match value {
            Value::List(list) => self.open_list(list, name, stack),
            Value::Map(map) => {
                if self.flags.sharp_v {
                    self.out.extend_from_slice(name.as_bytes());
                    if map.is_nil() {
                        self.out.extend_from_slice(b"(nil)");
                        return Ok(());
                    }
                    self.out.push(b'{');
                } else {
                    self.out.extend_from_slice(b"map[");
                }
                path.enter(map.id(), stack.len())?;
                stack.push(Frame::Map { entries: map.entries(), next: 0, id: map.id() });
            }
            Value::Object(o) => match Object::kind(o.as_ref()) {
                Kind::Struct | Kind::Ptr => {
                    let mut name = o.type_name();
                    if top && Object::kind(o.as_ref()) == Kind::Ptr {
                        self.out.push(b'&');
                        name = name.strip_prefix('*').unwrap_or(name);
                    }
                    if self.flags.sharp_v {
                        self.out.extend_from_slice(name.as_bytes());
                    }
                    self.out.push(b'{');
                    stack.push(Frame::Struct { fields: o.fields(), next: 0 });
                }
                _ => self.open_named(o.as_ref(), stack),
            },
            _ => {}
        }
        Ok(())
    }

    fn open_list(&mut self, list: &List, name: Cow<'_, str>, stack: &mut Vec<Frame>) {
        if self.flags.sharp_v {
            self.out.extend_from_slice(name.as_bytes());
            if list.is_nil() {
                return self.out.extend_from_slice(b"(nil)");
            }
        }
        self.out.push(if self.flags.sharp_v { b'{' } else { b'[' });
        stack.push(Frame::List { list: list.clone(), next: 0 });
    }

    fn open_named(&mut self, o: &dyn Object, stack: &mut Vec<Frame>) {
        let name = Cow::Borrowed(o.type_name());
        match o.to_json() {
            Some(Value::List(list)) => self.open_list(&list, name, stack),
            Some(Value::Map(map)) => {
                let open: &[u8] = if self.flags.sharp_v { b"{" } else { b"map[" };
                if self.flags.sharp_v {
                    self.out.extend_from_slice(name.as_bytes());
                }
                self.out.extend_from_slice(open);
                stack.push(Frame::Map { entries: map.entries(), next: 0, id: map.id() });
            }
            _ => {}
        }
    }

    /// Writes what stands before the frame's next item.
    fn step(&mut self, frame: &mut Frame, verb: char) -> Step {
        let (next, len) = match frame {
            Frame::List { list, next } => (next, list.len()),
            Frame::Map { entries, next, .. } => (next, entries.len()),
            Frame::Struct { fields, next } => (next, fields.len()),
        };
        let index = *next;
        if index >= len {
            return Step::End;
        }
        *next += 1;
        if index > 0 {
            let separator: &[u8] = if self.flags.sharp_v { b", " } else { b" " };
            self.out.extend_from_slice(separator);
        }
        let item = match frame {
            Frame::List { list, .. } => list.get(index).cloned(),
            Frame::Map { entries, .. } => entries.get(index).map(|(key, item)| {
                self.print_string(key.as_bytes(), verb);
                self.out.push(b':');
                item.clone()
            }),
            Frame::Struct { fields, .. } => fields.get(index).map(|(name, item)| {
                if self.flags.plus_v || self.flags.sharp_v {
                    self.out.extend_from_slice(name.as_bytes());
                    self.out.push(b':');
                }
                item.clone()
            }),
        };
        item.map_or(Step::End, Step::Item)
    }
}
