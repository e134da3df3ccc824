use super::*;
use bowsprit_chart::{File, Limits};
use bowsprit_testkit::Numbers;
use bowsprit_value::fmt;

struct Random(Numbers);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Values of few keys, so that they meet.
    fn values(&mut self) -> String {
        const ONE: [&str; 22] = [
            "a: 1",
            "a: {b: 1}",
            "a: null",
            "b: {}",
            "b: {c: {d: 1}}",
            "b: x",
            "global: {g: 1}",
            "global: {g: {h: 1}}",
            "global: {}",
            "global: 3",
            "tags: {t: false}",
            "tags: {t: 1}",
            "c1: {up: false}",
            "c1: 5",
            "c1: {d1: {up: false}}",
            "c1: {d1: {up: 1, a: {b: 3}}}",
            "c1: {d2: 7, a: {b: 3}}",
            "c1: {global: {g: 2}}",
            "c2: {a: {b: 2}, up: true}",
            "d1: {up: false, a: 1}",
            "d1: {e1: {up: false}}",
            "e1: 3",
        ];
        let mut lines: Vec<&str> = (0..self.below(4)).map(|_| self.one(&ONE)).collect();
        lines.sort_unstable();
        lines.dedup_by_key(|line| line.split(':').next());
        lines.join("\n")
    }

    fn dependency(&mut self, name: &str) -> String {
        let own = format!(", condition: {name}.up");
        let more = ["", "", "", "", &own, ", tags: [t]", ", alias: x3", ", condition: ','"];
        let more = self.one(&more);
        let version = self.one(&["'*'", "'*'", "'*'", "'*'", "'*'", "9.0.0"]);
        format!("{{name: {name}, version: {version}{more}}}")
    }

    /// A chart's files; below it others, of which the list may name all, some or none.
    fn chart(&mut self, name: &str, folder: &str, depth: usize, files: &mut Vec<File>) {
        let mut wanted = Vec::new();
        let bounds = [3, 3, 2, 1];
        let count = self.below(bounds[depth]) + usize::from(depth == 0);
        for number in 1..=count {
            let name = format!("{}{number}", ["c", "d", "e", "f"][depth]);
            if self.below(5) > 0 {
                wanted.push(self.dependency(&name));
            }
            self.chart(&name, &format!("{folder}charts/{name}/"), depth + 1, files);
        }
        let list = (self.below(6) > 0) != wanted.is_empty();
        let list =
            if list { format!("dependencies: [{}]\n", wanted.join(", ")) } else { String::new() };
        let text = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{list}");
        files.push(File::new(format!("{folder}Chart.yaml"), text));
        if self.below(3) > 0 {
            files.push(File::new(format!("{folder}values.yaml"), self.values()));
        }
    }
}

fn shown(values: &Map) -> String {
    let mut out = Vec::new();
    fmt::sprintf(b"%v", &[Value::Map(values.clone())], &mut out, &Meter::default()).unwrap();
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn what_is_left_out_changes_nothing() {
    let mut random = Random(Numbers::new(20));
    let (mut stayed, mut known, mut failed, mut lines) = (0, 0, 0, 0);
    for _ in 0..3000 {
        let mut files = Vec::new();
        random.chart("top", "", 0, &mut files);
        // Two of one alias are refused.
        let Ok(chart) = Chart::from_files(files, &Limits::default()) else { continue };
        let chart = Arc::new(chart.output);
        let text = if random.below(2) == 0 { String::new() } else { random.values() };
        let user = bowsprit_yaml::read_values(text.as_bytes()).unwrap();
        let rules = Compat::default().rules();
        let plan = |hurries: bool| {
            let mut log = Vec::new();
            let planner = Planner { hurries, ..Planner::new(rules) };
            let plan = planned(&chart, &user, planner, &mut log).map(|plan| {
                let instances = plan.instances.iter();
                let instances: Vec<String> =
                    instances.map(|i| format!("{} {:?}", i.path, i.dependencies)).collect();
                (instances, plan.settled, shown(&plan.values))
            });
            (plan.map_err(|error| error.to_string()), log)
        };
        let fast = plan(true);
        assert_eq!(fast, plan(false), "{chart:?} {text}");
        lines += fast.1.len();
        failed += usize::from(fast.0.is_err());
        let mut planner = Planner::new(rules);
        if let Ok(root) = planner.enable(&chart, &user) {
            known += usize::from(planner.coalesced.is_some() && !planner.changed);
            let below = planner.children(root).iter();
            stayed += below.filter(|&&child| planner.all_stay(child, &user)).count();
        }
    }
    assert!(
        stayed > 100 && known > 100 && failed > 100 && lines > 1000,
        "{stayed} {known} {failed} {lines}"
    );
}
