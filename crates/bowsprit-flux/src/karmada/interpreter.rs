//! What Karmada has to be taught of Flux's kinds.

use super::object;
use bowsprit_value::{Map, Value};

/// Kinds of today's versions, with the fields in which each names a Secret.
const KINDS: &[(&str, &str, &str)] = &[
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", HELM_RELEASE),
    ("source.toolkit.fluxcd.io/v1", "HelmRepository", SOURCE),
    ("source.toolkit.fluxcd.io/v1", "OCIRepository", SOURCE),
    ("source.toolkit.fluxcd.io/v1", "GitRepository", SOURCE),
    ("source.toolkit.fluxcd.io/v1", "Bucket", SOURCE),
    ("source.toolkit.fluxcd.io/v1", "HelmChart", SOURCE),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", KUSTOMIZATION),
];

/// ResourceInterpreterCustomizations for today's versions of Flux's kinds, of which Karmada's built-in
/// interpreter knows only the betas: when they are healthy, what of their status is collected and how it
/// is put together, what they depend on, and that `spec.suspend` may be set in a cluster.
///
/// `wanted` picks kinds by name; all where it is empty.
pub fn interpreter_customization(wanted: &[String]) -> Vec<Map> {
    let kinds = KINDS.iter().filter(|(_, kind, _)| {
        wanted.is_empty() || wanted.iter().any(|name| name.eq_ignore_ascii_case(kind))
    });
    kinds
        .map(|(api_version, kind, dependencies)| customization(api_version, kind, dependencies))
        .collect()
}

fn customization(api_version: &str, kind: &str, dependencies: &str) -> Map {
    let script = |text: &str| Value::Map(object([("luaScript", text.trim_start().into())]));
    let rules = object([
        ("dependencyInterpretation", script(dependencies)),
        ("healthInterpretation", script(HEALTH)),
        ("retention", script(RETENTION)),
        ("statusAggregation", script(AGGREGATION)),
        ("statusReflection", script(REFLECTION)),
    ]);
    let target = object([("apiVersion", api_version.into()), ("kind", kind.into())]);
    let spec = object([("target", target.into()), ("customizations", rules.into())]);
    let name = format!("flux-{}", kind.to_lowercase());
    let metadata = object([("name", name.into())]);
    object([
        ("apiVersion", "config.karmada.io/v1alpha1".into()),
        ("kind", "ResourceInterpreterCustomization".into()),
        ("metadata", metadata.into()),
        ("spec", spec.into()),
    ])
}

/// Ready, and for what was applied last.
const HEALTH: &str = r#"
function InterpretHealth(observedObj)
  if observedObj.status == nil or observedObj.status.conditions == nil then
    return false
  end
  if observedObj.status.observedGeneration ~= nil and observedObj.metadata.generation ~= nil
    and observedObj.status.observedGeneration ~= observedObj.metadata.generation then
    return false
  end
  for _, condition in ipairs(observedObj.status.conditions) do
    if condition.type == 'Ready' then
      return condition.status == 'True'
    end
  end
  return false
end
"#;

/// Suspending and reconciling on request is done in a cluster and must outlive the next delivery.
const RETENTION: &str = r#"
function Retain(desiredObj, observedObj)
  if observedObj.spec ~= nil and observedObj.spec.suspend ~= nil then
    desiredObj.spec.suspend = observedObj.spec.suspend
  end
  return desiredObj
end
"#;

const REFLECTION: &str = r#"
function ReflectStatus(observedObj)
  local status = {}
  if observedObj == nil or observedObj.status == nil then
    return status
  end
  status.conditions = observedObj.status.conditions
  status.observedGeneration = observedObj.status.observedGeneration
  status.generation = observedObj.metadata.generation
  status.lastAttemptedRevision = observedObj.status.lastAttemptedRevision
  status.lastAppliedRevision = observedObj.status.lastAppliedRevision
  status.history = observedObj.status.history
  status.artifact = observedObj.status.artifact
  return status
end
"#;

/// The conditions of all clusters, each with its cluster's name before its message.
const AGGREGATION: &str = r#"
function AggregateStatus(desiredObj, statusItems)
  if desiredObj.status == nil then
    desiredObj.status = {}
  end
  local conditions = {}
  local place = {}
  local current = 0
  for _, item in ipairs(statusItems) do
    local status = item.status
    if status ~= nil then
      if status.observedGeneration ~= nil and status.observedGeneration == status.generation then
        current = current + 1
      end
      for _, condition in ipairs(status.conditions or {}) do
        local message = item.clusterName .. '=' .. (condition.message or '')
        local at = place[condition.type]
        if at == nil then
          local merged = {}
          for key, value in pairs(condition) do
            merged[key] = value
          end
          merged.message = message
          table.insert(conditions, merged)
          place[condition.type] = #conditions
        else
          local merged = conditions[at]
          merged.message = merged.message .. ', ' .. message
          if condition.type == 'Ready' and condition.status ~= 'True' then
            merged.status = condition.status
            merged.reason = condition.reason
          end
        end
      end
    end
  end
  if #conditions > 0 then
    desiredObj.status.conditions = conditions
  end
  if #statusItems > 0 and current == #statusItems then
    desiredObj.status.observedGeneration = desiredObj.metadata.generation
  end
  return desiredObj
end
"#;

const SOURCE: &str = r#"
function GetDependencies(desiredObj)
  local found = {}
  local seen = {}
  local function need(reference)
    if reference ~= nil and reference.name ~= nil and not seen[reference.name] then
      seen[reference.name] = true
      table.insert(found, {
        apiVersion = 'v1',
        kind = 'Secret',
        name = reference.name,
        namespace = desiredObj.metadata.namespace,
      })
    end
  end
  local spec = desiredObj.spec
  need(spec.secretRef)
  need(spec.certSecretRef)
  need(spec.proxySecretRef)
  if spec.verify ~= nil then
    need(spec.verify.secretRef)
  end
  return found
end
"#;

const HELM_RELEASE: &str = r#"
function GetDependencies(desiredObj)
  local found = {}
  local seen = {}
  local function need(kind, name)
    local key = kind .. '/' .. (name or '')
    if name ~= nil and not seen[key] then
      seen[key] = true
      table.insert(found, {
        apiVersion = 'v1',
        kind = kind,
        name = name,
        namespace = desiredObj.metadata.namespace,
      })
    end
  end
  local spec = desiredObj.spec
  for _, reference in ipairs(spec.valuesFrom or {}) do
    need(reference.kind, reference.name)
  end
  if spec.kubeConfig ~= nil and spec.kubeConfig.secretRef ~= nil then
    need('Secret', spec.kubeConfig.secretRef.name)
  end
  if spec.chart ~= nil and spec.chart.spec ~= nil and spec.chart.spec.verify ~= nil
    and spec.chart.spec.verify.secretRef ~= nil then
    need('Secret', spec.chart.spec.verify.secretRef.name)
  end
  if spec.serviceAccountName ~= nil and spec.serviceAccountName ~= 'default' then
    need('ServiceAccount', spec.serviceAccountName)
  end
  return found
end
"#;

const KUSTOMIZATION: &str = r#"
function GetDependencies(desiredObj)
  local found = {}
  local seen = {}
  local function need(kind, name)
    local key = kind .. '/' .. (name or '')
    if name ~= nil and not seen[key] then
      seen[key] = true
      table.insert(found, {
        apiVersion = 'v1',
        kind = kind,
        name = name,
        namespace = desiredObj.metadata.namespace,
      })
    end
  end
  local spec = desiredObj.spec
  if spec.postBuild ~= nil then
    for _, reference in ipairs(spec.postBuild.substituteFrom or {}) do
      need(reference.kind, reference.name)
    end
  end
  if spec.decryption ~= nil and spec.decryption.secretRef ~= nil then
    need('Secret', spec.decryption.secretRef.name)
  end
  if spec.kubeConfig ~= nil and spec.kubeConfig.secretRef ~= nil then
    need('Secret', spec.kubeConfig.secretRef.name)
  end
  if spec.serviceAccountName ~= nil and spec.serviceAccountName ~= 'default' then
    need('ServiceAccount', spec.serviceAccountName)
  end
  return found
end
"#;
