//! The drafts of JSON schema, and what each of them calls a subschema.

use std::sync::Arc;

/// A version of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    D4,
    D6,
    D7,
    D2019,
    D2020,
}

/// Where a keyword holds subschemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value itself.
    Value,
    /// Every member of the value.
    Members,
    /// Every item of the value.
    Items,
}

const PLACES: &[(Draft, &str, Place)] = &[
    (Draft::D4, "definitions", Place::Members),
    (Draft::D4, "not", Place::Value),
    (Draft::D4, "allOf", Place::Items),
    (Draft::D4, "anyOf", Place::Items),
    (Draft::D4, "oneOf", Place::Items),
    (Draft::D4, "properties", Place::Members),
    (Draft::D4, "additionalProperties", Place::Value),
    (Draft::D4, "patternProperties", Place::Members),
    (Draft::D4, "items", Place::Value),
    (Draft::D4, "items", Place::Items),
    (Draft::D4, "additionalItems", Place::Value),
    (Draft::D4, "dependencies", Place::Members),
    (Draft::D6, "propertyNames", Place::Value),
    (Draft::D6, "contains", Place::Value),
    (Draft::D7, "if", Place::Value),
    (Draft::D7, "then", Place::Value),
    (Draft::D7, "else", Place::Value),
    (Draft::D2019, "$defs", Place::Members),
    (Draft::D2019, "dependentSchemas", Place::Members),
    (Draft::D2019, "unevaluatedProperties", Place::Value),
    (Draft::D2019, "unevaluatedItems", Place::Value),
    (Draft::D2019, "contentSchema", Place::Value),
    (Draft::D2020, "prefixItems", Place::Items),
];

impl Draft {
    pub(super) const LATEST: Draft = Draft::D2020;

    /// The URL of the draft's metaschema.
    pub(super) const fn url(self) -> &'static str {
        match self {
            Draft::D4 => "http://json-schema.org/draft-04/schema",
            Draft::D6 => "http://json-schema.org/draft-06/schema",
            Draft::D7 => "http://json-schema.org/draft-07/schema",
            Draft::D2019 => "https://json-schema.org/draft/2019-09/schema",
            Draft::D2020 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    /// The draft that a `$schema` names, if it names one.
    pub(super) fn from_url(url: &str) -> Option<Draft> {
        let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
        if !fragment.is_empty() {
            return None;
        }
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        match rest.unwrap_or(url) {
            "json-schema.org/schema" => Some(Draft::LATEST),
            "json-schema.org/draft/2020-12/schema" => Some(Draft::D2020),
            "json-schema.org/draft/2019-09/schema" => Some(Draft::D2019),
            "json-schema.org/draft-07/schema" => Some(Draft::D7),
            "json-schema.org/draft-06/schema" => Some(Draft::D6),
            "json-schema.org/draft-04/schema" => Some(Draft::D4),
            _ => None,
        }
    }

    /// The keyword that names a schema.
    pub(super) const fn id_keyword(self) -> &'static str {
        match self {
            Draft::D4 => "id",
            _ => "$id",
        }
    }

    /// The keywords that hold subschemas.
    pub(super) fn places(self) -> impl Iterator<Item = (&'static str, Place)> {
        PLACES
            .iter()
            .filter(move |(since, ..)| *since <= self)
            .map(|(_, key, place)| (*key, *place))
    }

    pub(super) const fn vocabulary_prefix(self) -> &'static str {
        match self {
            Draft::D2019 => "https://json-schema.org/draft/2019-09/vocab/",
            Draft::D2020 => "https://json-schema.org/draft/2020-12/vocab/",
            _ => "",
        }
    }

    /// The vocabularies that there are.
    pub(super) const fn vocabularies(self) -> &'static [&'static str] {
        match self {
            Draft::D2019 => &["core", "applicator", "validation", "meta-data", "format", "content"],
            Draft::D2020 => &[
                "core",
                "applicator",
                "unevaluated",
                "validation",
                "meta-data",
                "format-annotation",
                "format-assertion",
                "content",
            ],
            _ => &[],
        }
    }

    const fn default_vocabularies(self) -> &'static [&'static str] {
        match self {
            Draft::D2019 => &["core", "applicator", "validation"],
            Draft::D2020 => &["core", "applicator", "unevaluated", "validation"],
            _ => &[],
        }
    }

    /// The URL of a vocabulary's metaschema.
    pub(super) fn vocabulary_url(self, name: &str) -> String {
        format!("{}meta/{name}", self.url().strip_suffix("schema").unwrap_or_default())
    }
}

/// A draft, and which of its vocabularies a metaschema switches on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) draft: Draft,
    /// `None` is the draft's own choice.
    pub(super) vocabularies: Option<Arc<[&'static str]>>,
}

impl Dialect {
    pub(super) const fn of(draft: Draft) -> Dialect {
        Dialect { draft, vocabularies: None }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        name == "core"
            || self.draft < Draft::D2019
            || match &self.vocabularies {
                Some(list) => list.contains(&name),
                None => self.draft.default_vocabularies().contains(&name),
            }
    }
}

const METASCHEMAS: &[(&str, &str)] = &[
    ("draft-04/schema", include_str!("metaschemas/draft-04.json")),
    ("draft-06/schema", include_str!("metaschemas/draft-06.json")),
    ("draft-07/schema", include_str!("metaschemas/draft-07.json")),
    ("draft/2019-09/schema", include_str!("metaschemas/2019-09.json")),
    ("draft/2019-09/meta/applicator", include_str!("metaschemas/2019-09-applicator.json")),
    ("draft/2019-09/meta/content", include_str!("metaschemas/2019-09-content.json")),
    ("draft/2019-09/meta/core", include_str!("metaschemas/2019-09-core.json")),
    ("draft/2019-09/meta/format", include_str!("metaschemas/2019-09-format.json")),
    ("draft/2019-09/meta/meta-data", include_str!("metaschemas/2019-09-meta-data.json")),
    ("draft/2019-09/meta/validation", include_str!("metaschemas/2019-09-validation.json")),
    ("draft/2020-12/schema", include_str!("metaschemas/2020-12.json")),
    ("draft/2020-12/meta/applicator", include_str!("metaschemas/2020-12-applicator.json")),
    ("draft/2020-12/meta/content", include_str!("metaschemas/2020-12-content.json")),
    ("draft/2020-12/meta/core", include_str!("metaschemas/2020-12-core.json")),
    (
        "draft/2020-12/meta/format-annotation",
        include_str!("metaschemas/2020-12-format-annotation.json"),
    ),
    (
        "draft/2020-12/meta/format-assertion",
        include_str!("metaschemas/2020-12-format-assertion.json"),
    ),
    ("draft/2020-12/meta/meta-data", include_str!("metaschemas/2020-12-meta-data.json")),
    ("draft/2020-12/meta/unevaluated", include_str!("metaschemas/2020-12-unevaluated.json")),
    ("draft/2020-12/meta/validation", include_str!("metaschemas/2020-12-validation.json")),
];

/// The path below `json-schema.org`, if a URL has one.
pub(super) fn official_path(url: &str) -> Option<&str> {
    url.strip_prefix("http://json-schema.org/")
        .or_else(|| url.strip_prefix("https://json-schema.org/"))
}

/// The text of a metaschema that comes with the specification.
pub(super) fn metaschema(url: &str) -> Option<&'static str> {
    let path = match official_path(url)? {
        "schema" => official_path(Draft::LATEST.url())?,
        path => path,
    };
    METASCHEMAS.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}
