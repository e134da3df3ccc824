//! The tables and charts of Helm's engine tests, asked of bowsprit.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::eval::{self, Function, Names, assignment, changed, value};
use super::lex::Token;
use super::parse::{Expr, Parser};

/// What a test says: a request, and what Helm's developers expect.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) request: Value,
    pub(super) wanted: Wanted,
}

pub(super) enum Wanted {
    /// The only template's text.
    Out(String),
    /// The texts of some templates.
    Outs(BTreeMap<String, String>),
    Error(String),
    AnyError,
}

/// The cases of a test function; none where it is written in another way.
pub(super) fn cases(function: &Function<'_>, outer: &Names) -> Vec<Case> {
    let mut reader = Reader {
        test: function.name,
        names: outer.clone(),
        dependencies: BTreeMap::new(),
        request: None,
        found: Vec::new(),
    };
    reader.read(function.body);
    reader.found
}

struct Reader<'t> {
    test: &'t str,
    names: Names,
    /// `AddDependency` calls: charts by the name of the variable of their parent.
    dependencies: BTreeMap<String, Vec<Expr>>,
    /// The render that comes before what is read.
    request: Option<Value>,
    found: Vec<Case>,
}

impl Reader<'_> {
    fn read(&mut self, tokens: &[Token]) {
        for at in 0..tokens.len() {
            if let Some((name, value, _)) = assignment(tokens, at) {
                self.table(&value);
                self.names.insert(name, value);
            } else if let Some(name) = changed(tokens, at) {
                self.names.remove(name);
            }
            match &tokens[at] {
                Token::Word(word) if word == "AddDependency" => self.dependency(tokens, at),
                Token::Word(word) if word == "Render" || word == "render" => {
                    self.render(tokens, at, word == "render");
                }
                Token::Word(word) if word == "out" => self.compared(tokens, at),
                Token::Word(word) if word == "range" => self.ranged(tokens, at),
                Token::Word(word) if word == "err" => self.error(tokens, at),
                _ => {}
            }
        }
    }

    /// A list of structs with templates and what they give.
    fn table(&mut self, list: &Expr) {
        let Expr::Composite(_, entries) = list else { return };
        for (index, (_, entry)) in entries.iter().enumerate() {
            let Expr::Composite(_, fields) = entry else { return };
            let field = |name: &str| {
                let is = |key: &Option<Expr>| *key == Some(Expr::Name(name.to_owned()));
                fields.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
            };
            let name = format!("{}/{index}", self.test);
            if let Some(tpl) = field("tpl") {
                let vars = field("vars").and_then(|vars| value(vars, &self.names));
                let (Some(Value::String(tpl)), Some(vars)) = (value(tpl, &self.names), vars) else {
                    continue;
                };
                let wanted = match field("expect").map(|text| value(text, &self.names)) {
                    Some(Some(Value::String(text))) => Wanted::Out(text),
                    None => Wanted::AnyError,
                    Some(_) => continue,
                };
                let Some(dot) = eval::template(&vars) else { continue };
                let template = format!(
                    "{{{{ define \"t\" }}}}{tpl}{{{{ end }}}}{{{{ include \"t\" {dot} }}}}"
                );
                let request = json!({"kind": "template", "template": template});
                self.found.push(Case { name, request, wanted });
            } else if let (Some(tpls), Some(expected)) = (field("tpls"), field("expected")) {
                let request = self.renderables(tpls);
                let text = value(expected, &self.names);
                if let (Some(request), Some(Value::String(text))) = (request, text) {
                    self.found.push(Case { name, request, wanted: Wanted::Error(text) });
                }
            }
        }
    }

    /// Templates without a chart; only such as all have `.Values` for their scope.
    fn renderables(&self, tpls: &Expr) -> Option<Value> {
        let Value::Object(tpls) = value(tpls, &self.names)? else { return None };
        let mut files = Map::new();
        let mut values = None;
        for (name, tpl) in &tpls {
            files.insert(format!("templates/{name}"), tpl.get("tpl")?.clone());
            let scope = tpl.get("vals")?.get("Values")?;
            if values.is_some_and(|known| known != scope) {
                return None;
            }
            values = Some(scope);
        }
        Some(json!({"kind": "template", "files": files, "values": values?, "all": true}))
    }

    fn dependency(&mut self, tokens: &[Token], at: usize) {
        let Some(Token::Word(parent)) = at.checked_sub(2).and_then(|at| tokens.get(at)) else {
            return;
        };
        let mut parser = Parser::new(tokens, at + 2);
        if let Some(child) = parser.expression() {
            self.dependencies.entry(parent.clone()).or_default().push(child);
        }
    }

    fn render(&mut self, tokens: &[Token], at: usize, internal: bool) {
        let Some(Expr::Call(_, arguments)) = Parser::new(tokens, at).expression() else { return };
        let request = match (arguments.as_slice(), internal) {
            ([tpls], true) => self.renderables(tpls),
            ([chart, values], false) => self.chart_request(chart, values),
            _ => return,
        };
        self.request = request.map(|mut request| {
            for (field, name) in [("strict", "e.Strict"), ("lint", "e.LintMode")] {
                if self.names.get(name) == Some(&Expr::Name("true".to_owned())) {
                    request[field] = json!(true);
                }
            }
            request
        });
    }

    fn chart_request(&self, chart: &Expr, values: &Expr) -> Option<Value> {
        let scope = value(values, &self.names)?;
        let mut request = self.chart(chart)?;
        request["kind"] = json!("template");
        request["all"] = json!(true);
        if let Some(defaults) = request.as_object_mut()?.shift_remove("values") {
            request["chartValues"] = defaults;
        }
        let name = scope.get("Release").and_then(|release| release.get("Name"));
        if let Some(name) = name {
            request["release"] = json!({"name": name});
        }
        request["values"] = match scope.get("Values") {
            Some(Value::Object(values)) => json!(values),
            _ => json!({}),
        };
        Some(request)
    }

    /// A chart as requests have it, with its subcharts.
    fn chart(&self, chart: &Expr) -> Option<Value> {
        let variable = match chart {
            Expr::Name(name) => Some(name),
            _ => None,
        };
        let held = value(chart, &self.names)?;
        let metadata = held.get("Metadata")?;
        let mut fields = Map::new();
        for (key, field) in metadata.as_object()? {
            let key = match key.as_str() {
                "Name" => "name",
                "Version" => "version",
                _ => continue,
            };
            fields.insert(key.to_owned(), field.clone());
        }
        let mut files = Map::new();
        for list in ["Templates", "Files"] {
            for file in held.get(list).and_then(Value::as_array).into_iter().flatten() {
                let path = file.get("Name")?.as_str()?;
                files.insert(path.to_owned(), file.get("Data")?.clone());
                // Helm's tests put files of subcharts into the chart itself.
                if let Some((name, _)) =
                    path.strip_prefix("charts/").and_then(|p| p.split_once('/'))
                {
                    let text = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
                    files.insert(format!("charts/{name}/Chart.yaml"), json!(text));
                }
            }
        }
        let mut subcharts = Map::new();
        for child in variable.and_then(|name| self.dependencies.get(name)).into_iter().flatten() {
            let child = self.chart(child)?;
            subcharts.insert(child["chart"]["name"].as_str()?.to_owned(), child);
        }
        let values = held.get("Values").cloned().unwrap_or_else(|| json!({}));
        Some(json!({"chart": fields, "files": files, "subcharts": subcharts, "values": values}))
    }

    fn want(&mut self, wanted: Wanted) {
        let Some(request) = self.request.clone() else { return };
        let name = format!("{}/{}", self.test, self.found.len());
        self.found.push(Case { name, request, wanted });
    }

    /// `out[name] != text`, or `got := out[name]; got != text`.
    fn compared(&mut self, tokens: &[Token], at: usize) {
        let mut parser = Parser::new(tokens, at);
        let Some(Expr::Index(_, index)) = parser.expression() else { return };
        let mut next = parser.at;
        if tokens.get(next) == Some(&Token::Sign(";")) {
            next += 2;
        }
        if tokens.get(next) != Some(&Token::Sign("!=")) {
            return;
        }
        let text = Parser::before_block(tokens, next + 1).expression();
        let text = text.and_then(|text| value(&text, &self.names));
        if let (Some(Value::String(name)), Some(Value::String(text))) =
            (value(&index, &self.names), text)
        {
            self.want(Wanted::Outs(BTreeMap::from([(name, text)])));
        }
    }

    /// `for name, text := range texts`.
    fn ranged(&mut self, tokens: &[Token], at: usize) {
        let Some(Token::Word(name)) = tokens.get(at + 1) else { return };
        let Some(Value::Object(map)) = self.names.get(name).and_then(|e| value(e, &self.names))
        else {
            return;
        };
        let text =
            |(name, text): (&String, &Value)| Some((name.clone(), text.as_str()?.to_owned()));
        if let Some(texts) = map.iter().map(text).collect::<Option<BTreeMap<_, _>>>()
            && !texts.is_empty()
        {
            self.want(Wanted::Outs(texts));
        }
    }

    /// `assert.Equal(t, text, err.Error())`, or `err.Error() != text`.
    fn error(&mut self, tokens: &[Token], at: usize) {
        let call =
            [Token::Sign("."), Token::Word("Error".to_owned()), Token::Sign("("), Token::Sign(")")];
        if !tokens[at + 1..].starts_with(&call) {
            return;
        }
        let after = tokens.get(at + 5);
        let text = if after == Some(&Token::Sign("!=")) {
            Parser::before_block(tokens, at + 6).expression()
        } else {
            let name = at.checked_sub(2).and_then(|at| tokens.get(at));
            let equal = at.checked_sub(6).and_then(|at| tokens.get(at));
            match (equal, name) {
                (Some(Token::Word(equal)), Some(Token::Word(name))) if equal == "Equal" => {
                    Some(Expr::Name(name.clone()))
                }
                _ => None,
            }
        };
        if let Some(Value::String(text)) = text.and_then(|text| value(&text, &self.names)) {
            self.want(Wanted::Error(text));
        }
    }
}
