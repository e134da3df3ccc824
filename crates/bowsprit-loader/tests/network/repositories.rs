//! Chart repositories over HTTP.

use crate::folder::{Folder, archive, client, read, sha256, wait};
use crate::server::{Answer, Server};
use bowsprit_loader::net::{Addresses, Credentials};
use bowsprit_loader::repo::{Index, IndexLimits, Repository, RepositoryFile, fetch_index};
use bowsprit_loader::{ChartQuery, Provenance, Sources};

fn index(entries: &str) -> String {
    format!("apiVersion: v1\nentries:\n  web:\n{entries}")
}

fn entry(version: &str, url: &str, digest: &str) -> String {
    format!("  - name: web\n    version: {version}\n    urls: ['{url}']\n    digest: '{digest}'\n")
}

fn with_repository(folder: &Folder, repository: Repository) -> Sources {
    let mut file = RepositoryFile::default();
    file.update(repository);
    file.save(&folder.paths().repository_config).unwrap();
    folder.sources()
}

#[test]
fn charts_come_by_name_from_the_cached_index() {
    let folder = Folder::new();
    let content = archive("web", "1.2.0");
    let served = content.clone();
    let text = index(
        &[entry("1.2.0", "charts/web.tgz", &sha256(&content)), entry("2.0.0-rc", "x", "")].concat(),
    );
    let server = Server::start(move |seen, _| match seen.path.as_str() {
        "/r/index.yaml" => Answer::ok(text.as_bytes()),
        "/r/charts/web.tgz" => Answer::ok(served.as_slice()),
        _ => Answer::status(404, "Not Found"),
    });
    let repository = Repository::new("loc", server.url("/r/"));
    let sources = with_repository(&folder, repository.clone());
    let error = wait(sources.locate("loc/web", &ChartQuery::default())).unwrap_err().to_string();
    assert!(error.starts_with("no cached repo found. (try 'helm repo update'): open "), "{error}");
    wait(sources.update(&repository, None)).unwrap();
    assert_eq!(folder.cached(), ["loc-charts.txt", "loc-index.yaml"]);
    let located = wait(sources.locate("loc/web", &ChartQuery::default())).unwrap();
    assert_eq!(read(&located.path), content);
    assert_eq!(located.file_name.as_deref(), Some("web.tgz"));
    // A second time nobody is asked.
    let asked = server.seen().len();
    wait(sources.locate("loc/web", &ChartQuery::default())).unwrap();
    assert_eq!(server.seen().len(), asked);
    // Unless the cache is damaged.
    std::fs::write(&located.path, "damaged").unwrap();
    let again = wait(sources.locate("loc/web", &ChartQuery::default())).unwrap();
    assert_eq!(read(&again.path), content);
    let mut query = ChartQuery::default();
    query.version = "9".to_owned();
    let error = wait(sources.locate("loc/web", &query)).unwrap_err().to_string();
    let want = "chart \"web\" matching 9 not found in loc index. (try 'helm repo update'): no chart \
                version found for web-9";
    assert_eq!(error, want);
    let error = wait(sources.locate("nope/web", &query)).unwrap_err().to_string();
    assert_eq!(error, "repo nope not found");
}

#[test]
fn charts_come_from_a_repository_that_is_only_named() {
    let folder = Folder::new();
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/index.yaml" => Answer::ok(index(&entry("1.2.0", "web.tgz", ""))),
        "/web.tgz" => Answer::ok(archive("web", "1.2.0")),
        _ => Answer::status(404, "Not Found"),
    });
    let mut query = ChartQuery::default();
    query.repository_url = server.url("");
    query.version = "^1".to_owned();
    let located = wait(folder.sources().locate("web", &query)).unwrap();
    let digest = sha256(&archive("web", "1.2.0"));
    assert_eq!(folder.cached(), [format!("{digest}.chart")]);
    assert!(located.path.ends_with(format!("{}/{digest}.chart", &digest[..2])));
    let error = wait(folder.sources().locate("zz", &query)).unwrap_err().to_string();
    let url = server.url("");
    assert_eq!(error, format!("chart \"zz\" version \"^1\" not found in {url} repository"));
    query.repository_url = server.url("/nothing");
    let error = wait(folder.sources().locate("web", &query)).unwrap_err().to_string();
    let want = format!(
        "looks like \"{url}/nothing\" is not a valid chart repository or cannot be reached: failed to \
         fetch {url}/nothing/index.yaml : 404 Not Found"
    );
    assert_eq!(error, want);
}

#[test]
fn what_the_index_did_not_promise_is_not_taken() {
    let folder = Folder::new();
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/index.yaml" => Answer::ok(index(&entry("1.2.0", "web.tgz", &"0a".repeat(32)))),
        _ => Answer::ok(archive("web", "1.2.0")),
    });
    let repository = Repository::new("loc", server.url(""));
    let sources = with_repository(&folder, repository.clone());
    wait(sources.update(&repository, None)).unwrap();
    let error = wait(sources.locate("loc/web", &ChartQuery::default())).unwrap_err();
    assert!(error.to_string().contains("but the repository's index says 0a0a"), "{error}");
    assert_eq!(folder.cached(), ["loc-charts.txt", "loc-index.yaml"], "nothing is left behind");
    // By its URL, the archive promises nothing.
    wait(sources.locate(&server.url("/web.tgz"), &ChartQuery::default())).unwrap();
}

#[test]
fn passwords_go_to_the_repository_alone() {
    let folder = Folder::new();
    let other = Server::start(|_, _| Answer::ok(archive("web", "1.2.0")));
    let url = other.url("/web.tgz");
    let server = Server::start(move |_, _| Answer::ok(index(&entry("1.2.0", &url, ""))));
    let mut query = ChartQuery::default();
    query.repository_url = server.url("");
    query.credentials =
        Some(Credentials { username: "u".into(), password: "p".into(), source: "test".into() });
    wait(folder.sources().locate("web", &query)).unwrap();
    assert!(server.seen()[0].header("authorization").is_some());
    assert_eq!(other.seen()[0].header("authorization"), None);
    query.pass_credentials = true;
    wait(folder.sources().locate("web", &query)).unwrap();
    assert!(other.seen()[1].header("authorization").is_some());
}

#[test]
fn provenance_is_brought_where_it_is_asked_for() {
    let folder = Folder::new();
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/a.tgz" | "/b.tgz" => {
            Answer::ok(archive("web", seen.path.trim_matches(['/', '.', 't', 'g', 'z'])))
        }
        "/a.tgz.prov" => Answer::ok("signed"),
        _ => Answer::status(404, "Not Found"),
    });
    let mut query = ChartQuery::default();
    query.provenance = Provenance::Try;
    let located = wait(folder.sources().locate(&server.url("/a.tgz"), &query)).unwrap();
    assert_eq!(read(&located.provenance.unwrap()), b"signed");
    let located = wait(folder.sources().locate(&server.url("/b.tgz"), &query)).unwrap();
    let url = server.url("/b.tgz");
    let want = format!(
        "WARNING: Verification not found for {url}: failed to fetch {url}.prov : 404 Not Found\n"
    );
    assert_eq!(located.said.notice, want);
    query.provenance = Provenance::Require;
    let error = wait(folder.sources().locate(&url, &query)).unwrap_err();
    assert_eq!(error.to_string(), format!("failed to fetch provenance \"{url}.prov\""));
    assert!(format!("{error:#}").contains("404 Not Found"), "{error:#}");
}

#[test]
fn hostile_indexes_are_refused() {
    let folder = Folder::new();
    let fetch = |text: String, limits: IndexLimits| {
        let server = Server::start(move |_, _| Answer::ok(text.as_bytes()));
        let repository = Repository::new("x", server.url(""));
        let (file, mut all) = (folder.path("index.yaml"), Index::default());
        let client = client(Addresses::Any);
        let fetched = fetch_index(&client, &repository, &limits, None, &file, &mut all);
        let outcome = wait(fetched).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(file.exists(), outcome.is_ok());
        outcome
    };
    let strict = IndexLimits::strict();
    let mut small = strict;
    small.bytes = 1000;
    let many: String =
        (0..300_000).map(|n| format!("  - name: web\n    version: 1.0.{n}\n")).collect();
    for (text, limits, want) in [
        (index(&"# x\n".repeat(1000)), small, "more than 1000 bytes"),
        (index(&many), strict, "more than 200000 versions"),
        (
            format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(1000), "*a,".repeat(1000)),
            strict,
            "document contains excessive aliasing",
        ),
        (
            "apiVersion: v1\nentries:\n  webapp: []\n  webapp: []\n".to_owned(),
            strict,
            "already set in map",
        ),
        (index(&format!("  - name: {}\n", "x".repeat(9 << 20))), strict, "unusual form"),
        (
            "<html></html>\n".to_owned(),
            strict,
            "cannot unmarshal string into Go value of type repo.IndexFile",
        ),
    ] {
        let error = fetch(text, limits).unwrap_err();
        assert!(error.contains(want), "{error}");
    }
    // Entries that lack everything are left out, not fatal.
    fetch(
        index("  - {}\n  - null\n  - name: web\n    version: '1'\n    maintainers: [null]\n"),
        strict,
    )
    .unwrap();
}

#[test]
fn urls_of_charts_must_be_of_the_web() {
    let folder = Folder::new();
    for url in ["file:///etc/passwd", "ftp://127.0.0.1/web.tgz"] {
        let text = index(&entry("1.0.0", url, ""));
        let server = Server::start(move |_, _| Answer::ok(text.as_bytes()));
        let mut query = ChartQuery::default();
        query.repository_url = server.url("");
        let error = wait(folder.sources().locate("web", &query)).unwrap_err().to_string();
        assert!(error.ends_with(" not supported"), "{error}");
    }
    assert_eq!(folder.cached(), [""; 0]);
}
