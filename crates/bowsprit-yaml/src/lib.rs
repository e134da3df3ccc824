//! YAML exactly as Helm's Go libraries read and write it.
//!
//! Helm reads and writes YAML with `sigs.k8s.io/yaml`, which goes through goyaml v2 and Go's JSON, and
//! writes `toYamlPretty` with goyaml v3. This crate gives the same values, bytes and error texts, in
//! one step: YAML 1.1 words and numbers, natural key order, folding at 80 columns and all. It is no
//! general YAML library, and does no I/O.
//!
//! * [`decode()`]: text to a value; [`read_values`]: a values file of several documents.
//! * [`encode()`] and [`encode_pretty`]: a value to text.
//! * [`Document`]: values that know where in the text they stand.
//! * [`skim()`]: whether plain text is sound, and what stands near its top, without decoding it.
//! * [`Syntax`]: what is written where; [`Edits`]: changes that keep all other bytes.
//! * [`yaml_to_json`]: the JSON text in between.
//!
//! ```
//! use bowsprit_value::Meter;
//!
//! let value = bowsprit_yaml::decode(b"replicas: 0x3\nname: 'yes'\n")?;
//! let mut out = Vec::new();
//! bowsprit_yaml::encode(&value, &mut out, &Meter::default())?;
//! assert_eq!(out, b"name: \"yes\"\nreplicas: 3\n");
//! # Ok::<(), bowsprit_yaml::Error>(())
//! ```

mod any;
mod base64;
mod decode;
mod document;
mod documents;
mod edit;
mod encode;
mod error;
mod gosyntax;
mod json;
mod order;
mod parse;
mod resolve;
mod scan;
mod skim;
mod syntax;
mod tree;
mod utf8;
mod v3;
mod walk;

pub use any::{AnyEntry, AnyMap, AnyTime, MAX_ANY_DEPTH, any_entries, decode_any};
pub use decode::decode;
pub use document::{Document, Node, NodeType};
pub use documents::{documents, is_one_document, read_first_values, read_values};
pub use edit::{EditError, Edits, Step};
pub use encode::{encode, encode_pretty, encode_rewritten};
pub use error::{Error, ErrorKind};
pub use json::yaml_to_json;
pub use skim::{Skimmed, skim};
pub use syntax::{Syntax, SyntaxKind, SyntaxNode, SyntaxStyle};
pub use v3::{Blank, decode_v3};
