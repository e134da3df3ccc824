//! Documents of rendered text as Kubernetes' libraries decode them for Helm's linter.

use bowsprit_value::{json, unicode};
use bowsprit_yaml::{Document, Node, NodeType, Skimmed, skim};

/// How much of a text is looked at to find out whether it is JSON.
const SNIFFED: usize = 4096;

/// What the linter decodes of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// What a document is, none for null, or why it can't be read.
type Decoded = Result<Option<Head>, String>;

/// The documents of a stream that is YAML, or JSON values one behind the other. The first error ends it.
pub(super) fn documents(text: &[u8]) -> Vec<Decoded> {
    let mut found = Vec::new();
    let start = text.get(..SNIFFED).unwrap_or(text);
    if trim_start(start).first() != Some(&b'{') {
        yaml_documents(text, None, &mut found);
        return found;
    }
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        if trim_start(rest).is_empty() {
            return found;
        }
        match json::decode_prefix(rest) {
            Ok((_, used)) => {
                found.push(Head::parse(rest.get(..used).unwrap_or_default()));
                at += used;
            }
            Err(error) => {
                let first = describe(text, at, &error.to_string());
                // From the second value on there is no doubt that it is JSON.
                if found.len() > 1 {
                    found.push(Err(error.to_string()));
                } else {
                    yaml_documents(after_blanks(rest), Some(first), &mut found);
                }
                return found;
            }
        }
    }
}

/// When both readings fail, what JSON's said counts.
fn yaml_documents(text: &[u8], mut first: Option<String>, found: &mut Vec<Decoded>) {
    for document in bowsprit_yaml::documents(text) {
        let document = document.map_err(|error| error.message().to_owned());
        let decoded = document.and_then(|text| Head::parse(&text));
        let decoded = decoded.map_err(|error| first.take().unwrap_or(error));
        first = None;
        let failed = decoded.is_err();
        found.push(decoded);
        if failed {
            return;
        }
    }
}

/// Blanks up to the first line break are skipped.
fn after_blanks(text: &[u8]) -> &[u8] {
    let mut at = 0;
    for (rune, width) in unicode::runes(text) {
        if !unicode::is_space(rune) {
            break;
        }
        at += width;
        if rune == '\n' {
            break;
        }
    }
    text.get(at..).unwrap_or_default()
}

fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = unicode::runes(text).take_while(|(rune, _)| unicode::is_space(*rune));
    let width: usize = spaces.map(|(_, width)| width).sum();
    text.get(width..).unwrap_or_default()
}

/// A syntax error comes with the number of bytes that were read up to it.
fn describe(text: &[u8], at: usize, error: &str) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let fails = |len: usize| {
        let prefix = rest.get(..len).unwrap_or_default();
        json::decode_prefix(prefix).is_err_and(|e| e.to_string() == error)
    };
    if error.contains("EOF") || !fails(rest.len()) {
        return error.to_owned();
    }
    let (mut low, mut high) = (0, rest.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if fails(middle) { high = middle } else { low = middle + 1 }
    }
    format!("json: offset {}: {error}", at + low)
}

impl Head {
    /// Decodes a document; none for null.
    pub(super) fn parse(text: &[u8]) -> Result<Option<Head>, String> {
        Head::skimmed(text).map_or_else(|| Head::decode(text), |head| Ok(Some(head)))
    }

    /// The head of a mapping that is plain enough to be told without decoding all of it.
    fn skimmed(text: &[u8]) -> Option<Head> {
        const FIELDS: [(usize, &[u8]); 5] =
            [(0, b"apiVersion"), (0, b"kind"), (0, b"metadata"), (1, b"name"), (1, b"namespace")];
        let mut found = [None; FIELDS.len()];
        let (mut sure, mut in_metadata) = (true, false);
        let plain = skim(text, |level, key, value| {
            let is = |(at, name): &(usize, &[u8])| *at == level && key.eq_ignore_ascii_case(name);
            let field = FIELDS.iter().position(is).filter(|_| level == 0 || in_metadata);
            if level == 0 {
                in_metadata = field == Some(2);
            }
            let Some(field) = field else { return };
            sure &= match value {
                Skimmed::Null | Skimmed::Mapping => (field == 2) ^ (value == Skimmed::Null),
                Skimmed::Text(_) | Skimmed::Quoted(_) => field != 2,
                Skimmed::Other => false,
            };
            // Which of two fields counts that are the same to Go is for the decoder to say.
            if let Some(place) = found.get_mut(field) {
                sure &= place.replace(value).is_none();
            }
        });
        let [api_version, kind, _, name, _] = found.map(|value| match value {
            Some(Skimmed::Text(text) | Skimmed::Quoted(text)) => {
                String::from_utf8_lossy(text).into_owned()
            }
            _ => String::new(),
        });
        // Without a kind this may as well be no mapping.
        (plain && sure && !kind.is_empty()).then_some(Head { api_version, kind, name })
    }

    fn decode(text: &[u8]) -> Result<Option<Head>, String> {
        let document = Document::parse(text).map_err(|e| e.to_string())?;
        document.check_json().map_err(|e| e.to_string())?;
        let mut head = Head::default();
        let mut error = None;
        let root = document.root();
        match root.node_type() {
            NodeType::Null => return Ok(None),
            NodeType::Mapping => head.read(root, &mut error),
            other => error = Some(refused(other, "value of type rules.k8sYamlStruct")),
        }
        match error {
            Some(error) => Err(format!("error unmarshaling JSON: while decoding JSON: {error}")),
            None => Ok(Some(head)),
        }
    }

    fn read(&mut self, root: Node<'_>, error: &mut Option<String>) {
        for (key, value) in root.entries() {
            let key = key.as_bytes();
            if key.eq_ignore_ascii_case(b"apiVersion") {
                string(&mut self.api_version, value, "k8sYamlStruct.apiVersion", error);
            } else if key.eq_ignore_ascii_case(b"kind") {
                string(&mut self.kind, value, "k8sYamlStruct.Kind", error);
            } else if key.eq_ignore_ascii_case(b"metadata") {
                match value.node_type() {
                    NodeType::Null => {}
                    NodeType::Mapping => self.metadata(value, error),
                    other => {
                        let target =
                            "struct field k8sYamlStruct.Metadata of type rules.k8sYamlMetadata";
                        error.get_or_insert_with(|| refused(other, target));
                    }
                }
            }
        }
    }

    fn metadata(&mut self, node: Node<'_>, error: &mut Option<String>) {
        let mut namespace = String::new();
        for (key, value) in node.entries() {
            let key = key.as_bytes();
            if key.eq_ignore_ascii_case(b"name") {
                string(&mut self.name, value, "k8sYamlMetadata.Metadata.Name", error);
            } else if key.eq_ignore_ascii_case(b"namespace") {
                string(&mut namespace, value, "k8sYamlMetadata.Metadata.Namespace", error);
            }
        }
    }
}

fn string(target: &mut String, node: Node<'_>, field: &str, error: &mut Option<String>) {
    if node.is_null() {
        return;
    }
    match node.as_string_target() {
        Some(text) => *target = String::from_utf8_lossy(&text).into_owned(),
        None => {
            let field = format!("struct field {field} of type string");
            error.get_or_insert_with(|| refused(node.node_type(), &field));
        }
    }
}

fn refused(found: NodeType, target: &str) -> String {
    let found = match found {
        NodeType::Mapping => "object",
        NodeType::Sequence => "array",
        NodeType::String => "string",
        NodeType::Bool => "bool",
        _ => "number",
    };
    format!("json: cannot unmarshal {found} into Go {target}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let documents = documents(text.as_bytes()).into_iter();
        documents
            .map(|document| match document {
                Ok(head) => head.unwrap().kind,
                Err(error) => format!("! {error}"),
            })
            .collect()
    }

    #[test]
    fn streams_are_yaml_or_json() {
        assert_eq!(kinds("kind: a\n---\nkind: b\n"), ["a", "b"]);
        assert_eq!(kinds(" {\"kind\": \"a\"}{}"), ["a", ""]);
        assert_eq!(kinds("{kind: a}\n"), ["a"]);
        assert_eq!(
            kinds("{{ a"),
            ["! json: offset 2: invalid character '{' looking for beginning of object key string"]
        );
        let kinds = kinds("kind: a\n--- b\n---\nkind: c\n");
        assert_eq!(kinds, ["! invalid Yaml document separator: b"]);
    }

    #[test]
    fn plain_heads_need_no_decoding() {
        let plain = "# a\napiVersion: v1\nKind: \"a\"\nmetadata:\n  name: b # c\n  labels:\n    \
                     name: d\n  namespace: 'e'\nspec:\n  name: 1\n";
        let head = Head::skimmed(plain.as_bytes()).unwrap();
        assert_eq!((head.kind.as_str(), head.name.as_str()), ("a", "b"));
        assert_eq!(Head::decode(plain.as_bytes()), Ok(Some(head)));
        let lines = [
            "kind: a\n",
            "kind: 1\n",
            "kind:\n",
            "KIND: b\n",
            "apiVersion: c\n",
            "metadata:\n",
            "metadata: d\n",
            "metadata: {}\n",
            "  name: e\n",
            "  Name: 'f'\n",
            "  name: [g]\n",
            "  namespace: 2\n",
            "  namespace:\n",
            "    name: h\n",
            "- i\n",
            "spec:\n",
        ];
        let (mut skimmed, mut number) = (0, 7_u64);
        for round in 0..20_000 {
            let mut text = String::new();
            for _ in 0..round % 6 + 1 {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(lines[(number >> 33) as usize % lines.len()]);
            }
            if let Some(head) = Head::skimmed(text.as_bytes()) {
                assert_eq!(Head::decode(text.as_bytes()), Ok(Some(head)), "{text}");
                skimmed += 1;
            }
        }
        assert!(skimmed > 100, "{skimmed}");
    }

    #[test]
    fn heads_are_read_as_go_does() {
        let head = Head::parse(b"kind: 1\nMetadata: {NAME: x}\n").unwrap().unwrap();
        assert_eq!((head.kind.as_str(), head.name.as_str()), ("1", "x"));
        assert_eq!(Head::parse(b"# nothing"), Ok(None));
        assert_eq!(
            Head::parse(b"kind: []").unwrap_err(),
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go \
             struct field k8sYamlStruct.Kind of type string"
        );
    }
}
