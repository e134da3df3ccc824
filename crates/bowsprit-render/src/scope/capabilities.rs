//! `.Capabilities`: what the cluster can do.

use super::api_versions::API_VERSIONS_1_36;
use crate::compat::{Compat, Package};
use bowsprit_semver::Version;
use bowsprit_value::{
    Elem, Field, FuncError, Kind, List, ListType, Map, Method, NamedType, Object, Str, Type, Value,
};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The version of Kubernetes that Helm 4.2.4 assumes without a cluster.
pub const DEFAULT_KUBE_VERSION: &str = "v1.36.0";

/// The API versions that Helm 4.2.4 assumes without a cluster, in its order.
pub const DEFAULT_API_VERSIONS: &[&str] = API_VERSIONS_1_36;

/// A version of Kubernetes.
///
/// ```
/// use bowsprit_render::KubeVersion;
///
/// let version = KubeVersion::parse("v1.27.3-gke.100")?;
/// assert_eq!(version.version(), "v1.27.3-gke.100");
/// assert_eq!(version.normalized(), "v1.27.3");
/// # Ok::<(), bowsprit_render::KubeVersionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    version: String,
    normalized: String,
    major: String,
    minor: String,
    package: Package,
}

/// A version of Kubernetes that can't be read. `Display` gives Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersionError {
    given: String,
    message: String,
}

impl KubeVersionError {
    /// The text without the part that names what was given.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for KubeVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid kube version '{}': {}", self.given, self.message)
    }
}

impl std::error::Error for KubeVersionError {}

impl KubeVersion {
    /// Reads what `--kube-version` takes: two or more numbers, with or without `v`, and any suffix.
    ///
    /// # Errors
    ///
    /// Fails with Helm's text where it is no version.
    pub fn parse(given: &str) -> Result<KubeVersion, KubeVersionError> {
        let fail = |message: String| Err(KubeVersionError { given: given.to_owned(), message });
        let text = given.trim();
        let core = text.strip_prefix('v').unwrap_or(text);
        let end = core.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(core.len());
        let (numbers, suffix) = core.split_at(end);
        // Go's pattern is `^\s*v?([0-9]+(?:\.[0-9]+)*)(.*)*$`: dots only between numbers.
        let well_formed =
            numbers.split('.').take_while(|n| !n.is_empty()).collect::<Vec<_>>().join(".");
        if well_formed.is_empty() {
            return fail(format!("could not parse {given:?} as version"));
        }
        let _ = suffix;
        let parts: Vec<&str> = well_formed.split('.').collect();
        if parts.len() < 2 {
            return fail(format!("illegal version string {given:?}"));
        }
        for (index, part) in parts.iter().enumerate() {
            if index == 0 && part.len() > 1 && part.starts_with('0') {
                return fail(format!(
                    "illegal zero-prefixed version component {part:?} in {given:?}"
                ));
            }
            if part.parse::<u64>().is_err() {
                return fail(format!(
                    "illegal non-numeric version component {part:?} in {given:?}: \
                     strconv.ParseUint: parsing {part:?}: value out of range"
                ));
            }
        }
        let plain = |part: &str| match part.trim_start_matches('0') {
            "" => "0".to_owned(),
            digits => digits.to_owned(),
        };
        let parts: Vec<String> = parts.into_iter().map(plain).collect();
        let version = if given.starts_with('v') { given.to_owned() } else { format!("v{given}") };
        Ok(KubeVersion {
            version,
            normalized: format!("v{}", parts.join(".")),
            major: parts.first().cloned().unwrap_or_default(),
            minor: parts.get(1).cloned().unwrap_or_default(),
            package: Package::Common,
        })
    }

    /// A version that is known by its parts, which need not be numbers: `22+`.
    pub fn from_parts(major: &str, minor: &str, compat: Compat) -> KubeVersion {
        let version = format!("v{major}.{minor}.0");
        KubeVersion {
            normalized: version.clone(),
            version,
            major: major.to_owned(),
            minor: minor.to_owned(),
            package: compat.rules().package,
        }
    }

    /// As [`KubeVersion::parse`], as one of Helm's releases does it.
    ///
    /// # Errors
    ///
    /// As [`KubeVersion::parse`].
    pub fn parse_as(given: &str, compat: Compat) -> Result<KubeVersion, KubeVersionError> {
        let rules = compat.rules();
        let mut parsed = KubeVersion::parse(given)?;
        if !rules.kube_version_suffix {
            parsed.version.clone_from(&parsed.normalized);
        }
        parsed.package = rules.package;
        Ok(parsed)
    }

    fn default_of(compat: Compat) -> KubeVersion {
        let rules = compat.rules();
        let minor = rules.kube_version.split('.').nth(1).unwrap_or_default();
        KubeVersion {
            version: rules.kube_version.into(),
            normalized: rules.kube_version.into(),
            major: "1".into(),
            minor: minor.into(),
            package: rules.package,
        }
    }

    /// As it was given, with a `v` in front.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The numbers alone, with a `v` in front: what constraints are checked against.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }

    /// The first number.
    pub fn major(&self) -> &str {
        &self.major
    }

    /// The second number.
    pub fn minor(&self) -> &str {
        &self.minor
    }

    /// The normalised version as a semantic version, if it is one.
    pub fn semver(&self) -> Option<Version> {
        Version::parse(&self.normalized).ok()
    }
}

fn text(s: &str) -> Value {
    Value::from(s)
}

fn wrong_receiver() -> FuncError {
    FuncError::new("method called on a value of another type")
}

fn kube_version_of(receiver: &Value) -> Result<&KubeVersion, FuncError> {
    receiver.downcast::<KubeVersion>().ok_or_else(wrong_receiver)
}

static KUBE_VERSION_METHODS: &[Method] = &[
    Method {
        name: "String",
        params: &[],
        variadic: false,
        result: Type::String,
        call: |receiver, _| Ok(text(&kube_version_of(receiver)?.normalized)),
    },
    Method {
        name: "GitVersion",
        params: &[],
        variadic: false,
        result: Type::String,
        call: |receiver, _| Ok(text(&kube_version_of(receiver)?.version)),
    },
];

fn lowered(fields: &[(&'static str, Value)]) -> Vec<(Str, Value)> {
    fields.iter().map(|(k, v)| (Str::from(k.to_ascii_lowercase()), v.clone())).collect()
}

fn named(fields: &[(&'static str, Value)]) -> Vec<(Str, Value)> {
    fields.iter().map(|(k, v)| (Str::from_static(k), v.clone())).collect()
}

fn json_map(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Map(Map::from_entries(fields.into_iter().map(|(k, v)| (Str::from_static(k), v))))
}

impl KubeVersion {
    fn exported(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", text(&self.version)),
            ("Major", text(&self.major)),
            ("Minor", text(&self.minor)),
        ]
    }
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        match self.package {
            Package::Common => "common.KubeVersion",
            Package::Chartutil => "chartutil.KubeVersion",
        }
    }

    fn methods(&self) -> &'static [Method] {
        KUBE_VERSION_METHODS
    }

    fn field(&self, name: &[u8]) -> Field {
        match name {
            b"normalizedVersion" if self.package == Package::Common => Field::Unexported,
            b"Version" => Field::Value(text(&self.version)),
            b"Major" => Field::Value(text(&self.major)),
            b"Minor" => Field::Value(text(&self.minor)),
            _ => Field::Missing,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = self.exported();
        if self.package == Package::Common {
            fields.insert(1, ("normalizedVersion", text(&self.normalized)));
        }
        fields
    }

    fn addressed_text(&self) -> Option<Str> {
        Some(Str::from(self.normalized.as_str()))
    }

    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        Some(named(&self.exported()))
    }

    fn to_json(&self) -> Option<Value> {
        Some(json_map(self.exported()))
    }

    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        Some(lowered(&self.exported()))
    }

    fn exported_copy(&self) -> Option<Value> {
        Some(Value::object(KubeVersion { normalized: String::new(), ..self.clone() }))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<KubeVersion>() == Some(self)
    }
}

fn find_field(fields: Vec<(&'static str, Value)>, name: &[u8]) -> Field {
    match fields.into_iter().find(|(k, _)| k.as_bytes() == name) {
        Some((_, value)) => Field::Value(value),
        None => Field::Missing,
    }
}

/// What the renderer says of itself: `.Capabilities.HelmVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmVersion {
    /// The version, with a `v`.
    pub version: String,
    /// The commit; empty where unknown.
    pub git_commit: String,
    /// `clean` or `dirty`; empty where unknown.
    pub git_tree_state: String,
    /// The Go version; empty here.
    pub go_version: String,
    /// The version of Kubernetes' client library; Helm 3 has no such field, and it is empty there.
    pub kube_client_version: String,
}

impl Default for HelmVersion {
    fn default() -> HelmVersion {
        HelmVersion::of(Compat::default())
    }
}

impl HelmVersion {
    /// What a release of Helm says.
    pub fn of(compat: Compat) -> HelmVersion {
        let rules = compat.rules();
        let client = match rules.package {
            Package::Chartutil => "",
            Package::Common => rules.kube_version.trim_end_matches(".0"),
        };
        HelmVersion {
            version: rules.version.into(),
            git_commit: String::new(),
            git_tree_state: String::new(),
            go_version: String::new(),
            kube_client_version: client.into(),
        }
    }
}

impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &[u8]) -> Field {
        find_field(self.fields(), name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("Version", text(&self.version)),
            ("GitCommit", text(&self.git_commit)),
            ("GitTreeState", text(&self.git_tree_state)),
            ("GoVersion", text(&self.go_version)),
        ];
        if !self.kube_client_version.is_empty() {
            fields.push(("KubeClientVersion", text(&self.kube_client_version)));
        }
        fields
    }

    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        Some(named(&self.json_names()))
    }

    fn to_json(&self) -> Option<Value> {
        Some(json_map(self.json_names()))
    }

    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        Some(lowered(&self.fields()))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<HelmVersion>() == Some(self)
    }
}

impl HelmVersion {
    fn json_names(&self) -> Vec<(&'static str, Value)> {
        let omitted_if_empty = [
            ("version", &self.version),
            ("git_commit", &self.git_commit),
            ("git_tree_state", &self.git_tree_state),
            ("go_version", &self.go_version),
        ];
        let mut fields: Vec<(&'static str, Value)> =
            omitted_if_empty.iter().filter(|f| !f.1.is_empty()).map(|f| (f.0, text(f.1))).collect();
        if !self.kube_client_version.is_empty() {
            fields.push(("kube_client_version", text(&self.kube_client_version)));
        }
        fields
    }
}

static COMMON_SET: NamedType = NamedType { name: "common.VersionSet", methods: SET_METHODS };
static CHARTUTIL_SET: NamedType = NamedType { name: "chartutil.VersionSet", methods: SET_METHODS };

static SET_METHODS: &[Method] = &[Method {
    name: "Has",
    params: &[Type::String],
    variadic: false,
    result: Type::Bool,
    call: |receiver, args| {
        let list = receiver.as_list().ok_or_else(wrong_receiver)?;
        let wanted = args.str(0);
        args.meter().charge_steps(list.len() as u64 / 16)?;
        Ok(Value::Bool(list.iter().any(|v| v.as_str() == Some(wanted))))
    },
}];

/// What the cluster can do, as charts ask for it: `.Capabilities`.
///
/// The default is what Helm 4.2.4 assumes without a cluster. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Capabilities {
    kube_version: Value,
    api_versions: List,
    helm_version: Value,
    kube: Arc<KubeVersion>,
}

impl Default for Capabilities {
    fn default() -> Capabilities {
        static DEFAULT: OnceLock<Capabilities> = OnceLock::new();
        DEFAULT.get_or_init(|| Capabilities::of(Compat::default())).clone()
    }
}

impl Capabilities {
    /// What a release of Helm assumes without a cluster.
    pub fn of(compat: Compat) -> Capabilities {
        let versions = compat.rules().api_versions.iter().map(|v| Str::from_static(v));
        let capabilities = Capabilities::new(KubeVersion::default_of(compat), versions);
        capabilities.with_helm_version(HelmVersion::of(compat))
    }

    /// Capabilities of a given cluster.
    pub fn new(kube: KubeVersion, api_versions: impl IntoIterator<Item = Str>) -> Capabilities {
        let kube = Arc::new(kube);
        Capabilities {
            kube_version: Value::Object(Arc::clone(&kube) as Arc<dyn Object>),
            api_versions: version_set(api_versions, kube.package),
            helm_version: Value::object(HelmVersion::default()),
            kube,
        }
    }

    /// The same as a release of Helm has it, with the cluster's version and API versions kept.
    #[must_use]
    pub fn as_in(mut self, compat: Compat) -> Capabilities {
        let kube = KubeVersion { package: compat.rules().package, ..(*self.kube).clone() };
        let versions: Vec<Str> =
            self.api_versions.iter().filter_map(|v| v.as_str().cloned()).collect();
        self.api_versions = version_set(versions, kube.package);
        self.with_kube_version(kube).with_helm_version(HelmVersion::of(compat))
    }

    /// The same for another version of Kubernetes.
    #[must_use]
    pub fn with_kube_version(mut self, kube: KubeVersion) -> Capabilities {
        self.kube = Arc::new(kube);
        self.kube_version = Value::Object(Arc::clone(&self.kube) as Arc<dyn Object>);
        self
    }

    /// The same with more API versions behind the present ones.
    #[must_use]
    pub fn with_api_versions(mut self, more: impl IntoIterator<Item = Str>) -> Capabilities {
        let present: Vec<Str> =
            self.api_versions.iter().filter_map(|v| v.as_str().cloned()).collect();
        self.api_versions = version_set(present.into_iter().chain(more), self.kube.package);
        self
    }

    /// The same with another answer to `.Capabilities.HelmVersion`.
    #[must_use]
    pub fn with_helm_version(mut self, version: HelmVersion) -> Capabilities {
        self.helm_version = Value::object(version);
        self
    }

    /// The version of Kubernetes.
    pub fn kube_version(&self) -> &KubeVersion {
        &self.kube
    }

    pub(crate) fn to_value(&self) -> Value {
        Value::object(self.clone())
    }
}

fn version_set(versions: impl IntoIterator<Item = Str>, package: Package) -> List {
    let named = match package {
        Package::Common => &COMMON_SET,
        Package::Chartutil => &CHARTUTIL_SET,
    };
    let ty = ListType { elem: Elem::String, named: Some(named) };
    List::typed(ty, versions.into_iter().map(Value::Str).collect())
}

static CAPABILITIES_METHODS: &[Method] = &[Method {
    name: "Copy",
    params: &[],
    variadic: false,
    result: Type::Named("*common.Capabilities"),
    call: |receiver, _| {
        receiver.downcast::<Capabilities>().map(Capabilities::to_value).ok_or_else(wrong_receiver)
    },
}];

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        match self.kube.package {
            Package::Common => "*common.Capabilities",
            Package::Chartutil => "*chartutil.Capabilities",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn methods(&self) -> &'static [Method] {
        CAPABILITIES_METHODS
    }

    fn field(&self, name: &[u8]) -> Field {
        match name {
            b"KubeVersion" => Field::Value(self.kube_version.clone()),
            b"APIVersions" => Field::Value(Value::List(self.api_versions.clone())),
            b"HelmVersion" => Field::Value(self.helm_version.clone()),
            _ => Field::Missing,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("KubeVersion", self.kube_version.clone()),
            ("APIVersions", Value::List(self.api_versions.clone())),
            ("HelmVersion", self.helm_version.clone()),
        ]
    }

    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        Some(named(&self.fields()))
    }

    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        Some(lowered(&self.fields()))
    }

    fn exported_copy(&self) -> Option<Value> {
        let kube_version = self.kube.exported_copy()?;
        Some(Value::object(Capabilities { kube_version, ..self.clone() }))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<Capabilities>().is_some_and(|o| Arc::ptr_eq(&o.kube, &self.kube))
    }
}
