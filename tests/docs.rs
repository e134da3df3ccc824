//! The documentation: links lead somewhere, and figures are those that were measured.

use std::fs;
use std::path::{Path, PathBuf};

use bowsprit_testkit::repository;

/// All pages: those of the root, and below docs/.
fn pages() -> Vec<PathBuf> {
    let root = repository();
    let mut found = Vec::new();
    let mut pending = vec![root.join("docs")];
    let top = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    found.extend(top.filter(|path| path.extension().is_some_and(|e| e == "md")));
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The targets of a page's links, without what stands in blocks of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code || line.starts_with("    ") {
            continue;
        }
        for part in line.split("](").skip(1) {
            links.extend(part.split_once(')').map(|(target, _)| target.to_owned()));
        }
    }
    links
}

/// The anchor that hosts make of a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn broken(page: &Path, link: &str) -> bool {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.to_owned(),
        path => page.parent().unwrap().join(path),
    };
    if !target.exists() {
        return true;
    }
    if fragment.is_empty() {
        return false;
    }
    let text = fs::read_to_string(target).unwrap_or_default();
    !text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == fragment)
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for link in links(&fs::read_to_string(&page).unwrap()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            count += 1;
            if broken(&page, &link) {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "{count} links");
}

#[test]
fn the_readmes_figures_are_the_measured_ones() {
    let read = |name: &str| fs::read_to_string(repository().join(name)).unwrap();
    let (readme, measured) = (read("README.md"), read("docs/benchmarks.md"));
    let section = readme.split("## Numbers").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('×'));
    let mut seen = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let lines = measured.lines().filter(|line| line.starts_with(&format!("| {}-", cells[1])));
        let lines: Vec<&str> = lines.collect();
        for figure in &cells[2..5] {
            let found = lines.iter().any(|line| line.contains(&format!("**{figure}**")));
            assert!(found, "{} is not {figure} in docs/benchmarks.md", cells[1]);
            seen += 1;
        }
    }
    assert_eq!(seen, 9, "{section}");
    let date = measured.split(" on ").nth(1).unwrap().get(..10).unwrap();
    assert!(section.contains(date), "measured on {date}");
}

#[test]
fn anchors_are_those_of_hosts() {
    assert_eq!(anchor("## Rings, and values for each region"), "rings-and-values-for-each-region");
    assert_eq!(links("a [b](c.md#d), [e](f)\n```\n[x](y)\n```\n    [z](q)\n"), ["c.md#d", "f"]);
}
