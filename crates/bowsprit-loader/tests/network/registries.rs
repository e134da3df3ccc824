//! A registry in this process, as good or bad as a test wants it.

use crate::folder::{Folder, archive, read, sha256, wait};
use crate::server::{Answer, Fault, Seen, Server};
use bowsprit_loader::net::Credentials;
use bowsprit_loader::oci::{CHART_MEDIA_TYPE, CONFIG_MEDIA_TYPE};
use bowsprit_loader::{ChartQuery, Sources};

const CONFIG: &[u8] = br#"{"name":"web","version":"1.2.0","apiVersion":"v2"}"#;

fn descriptor(media_type: &str, content: &[u8]) -> String {
    let (digest, size) = (sha256(content), content.len());
    format!(r#"{{"mediaType":"{media_type}","digest":"sha256:{digest}","size":{size}}}"#)
}

fn manifest(chart: &[u8]) -> String {
    let config = descriptor(CONFIG_MEDIA_TYPE, CONFIG);
    let layer = descriptor(CHART_MEDIA_TYPE, chart);
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#)
}

/// A registry with one chart, `charts/web`.
fn registry(seen: &Seen) -> Answer {
    let chart = archive("web", "1.2.0");
    let path = seen.path.as_str();
    match path.strip_prefix("/v2/charts/web/") {
        Some("tags/list") => Answer::ok(r#"{"tags":["latest","1.2.0"]}"#)
            .header("Link", "<?last=1.2.0>; rel=\"next\""),
        Some("tags/list?last=1.2.0") => Answer::ok(r#"{"tags":["1.10.0-rc.1","1.0.0_b"]}"#),
        Some("manifests/1.2.0") => Answer::ok(manifest(&chart)),
        Some(blob) if blob.ends_with(&sha256(&chart)) => Answer::ok(chart),
        Some(blob) if blob.ends_with(&sha256(CONFIG)) => Answer::ok(CONFIG),
        _ => Answer::status(404, "Not Found"),
    }
}

fn plain() -> ChartQuery {
    let mut query = ChartQuery::default();
    query.plain_http = true;
    query
}

fn pull(sources: &Sources, server: &Server, query: &ChartQuery) -> Result<Vec<u8>, String> {
    let reference = format!("oci://{}/charts/web", server.host());
    let located = wait(sources.locate(&reference, query)).map_err(|e| format!("{e:#}"))?;
    Ok(read(&located.path))
}

#[test]
fn charts_come_by_tag_range_and_digest() {
    let folder = Folder::new();
    let server = Server::start(|seen, _| registry(seen));
    let sources = folder.sources();
    let host = server.host();
    let web = archive("web", "1.2.0");
    assert_eq!(pull(&sources, &server, &plain()).unwrap(), web);
    let located =
        wait(sources.locate(&format!("oci://{host}/charts/web:1.2.0"), &plain())).unwrap();
    let digest = sha256(manifest(&web).as_bytes());
    let want = format!("Pulled: {host}/charts/web:1.2.0\nDigest: sha256:{digest}\n");
    assert_eq!(located.said.notice, want);
    assert_eq!(located.file_name.as_deref(), Some("web-1.2.0.tgz"));
    let blobs = |server: &Server| {
        server.seen().iter().filter(|seen| seen.path.ends_with(&sha256(&web))).count()
    };
    assert_eq!(blobs(&server), 1, "what is in the cache is not brought again");
    let mut query = plain();
    query.version = ">9".to_owned();
    let error = pull(&sources, &server, &query).unwrap_err();
    assert_eq!(error, "could not locate a version matching provided version string >9");
    query.version = "9.9.9".to_owned();
    let error = pull(&sources, &server, &query).unwrap_err();
    let want = format!(
        "failed to perform \"FetchReference\" on source: {host}/charts/web:9.9.9: not found\n  url: \
         http://{host}/v2/charts/web/manifests/9.9.9\n  credentials: none"
    );
    assert!(error.starts_with(&want), "{error}");
    let error =
        wait(sources.locate(&format!("oci://{host}/charts/web:1.2.0"), &query)).unwrap_err();
    assert_eq!(error.to_string(), "chart reference and version mismatch: 9.9.9 is not 1.2.0");
}

#[test]
fn what_was_not_promised_is_not_taken() {
    let chart = archive("web", "1.2.0");
    let other = archive("web", "6.6.6");
    for size in [chart.len(), chart.len() + 1] {
        let (chart, mut other) = (chart.clone(), other.clone());
        other.resize(size, 0);
        let server = Server::start(move |seen, _| match seen.path.as_str() {
            path if path.ends_with(&sha256(&chart)) => Answer::ok(other.as_slice()),
            _ => registry(seen),
        });
        let folder = Folder::new();
        assert!(pull(&folder.sources(), &server, &plain()).is_err());
        assert_eq!(folder.cached(), [""; 0]);
    }
    // A manifest that is not the one of its digest.
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/v2/charts/web/manifests/1.2.0" => {
            registry(seen).header("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64)))
        }
        _ => registry(seen),
    });
    let folder = Folder::new();
    let error = pull(&folder.sources(), &server, &plain()).unwrap_err();
    assert!(error.contains("mismatch digest"), "{error}");
    // One that promises more than anyone would take.
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/v2/charts/web/manifests/1.2.0" => {
            let text = manifest(&archive("web", "1.2.0"));
            let huge = text.replace(
                &format!("\"size\":{}", archive("web", "1.2.0").len()),
                "\"size\":9223372036854775807",
            );
            Answer::ok(huge)
        }
        _ => registry(seen),
    });
    let error = pull(&folder.sources(), &server, &plain()).unwrap_err();
    assert!(error.contains("are more than the"), "{error}");
}

#[test]
fn interrupted_layers_go_on() {
    let chart = archive("web", "1.2.0");
    let server = Server::start(move |seen, _| {
        let answer = registry(seen);
        let is_chart = seen.path.ends_with(&sha256(&chart));
        if is_chart && seen.header("range").is_none() {
            return answer.fault(Fault::Truncate(20));
        }
        if is_chart {
            let range = format!("bytes 20-{}/{}", chart.len() - 1, chart.len());
            return Answer::partial(&chart[20..]).header("Content-Range", range);
        }
        answer
    });
    let folder = Folder::new();
    assert_eq!(pull(&folder.sources(), &server, &plain()).unwrap(), archive("web", "1.2.0"));
}

fn is_authorized(seen: &Seen, value: &str) -> bool {
    seen.header("authorization") == Some(value)
}

#[test]
fn registries_are_logged_in_to() {
    let server = Server::start(|seen, _| {
        if !is_authorized(seen, "Basic dTpw") {
            return Answer::status(401, "Unauthorized")
                .header("WWW-Authenticate", "Basic realm=\"x\"");
        }
        if seen.path == "/v2/" { Answer::ok("{}") } else { registry(seen) }
    });
    let folder = Folder::new();
    let sources = folder.sources();
    let error = pull(&sources, &server, &plain()).unwrap_err();
    assert!(error.contains("basic credential not found"), "{error}");
    assert!(error.contains("hint: the server wants credentials"), "{error}");
    let login = |password: &str| {
        let credentials =
            Credentials { username: "u".into(), password: password.into(), source: "x".into() };
        wait(sources.registry(&plain()).login(&server.host(), &credentials))
    };
    let error = login("wrong").unwrap_err().to_string();
    let host = server.host();
    let want = format!(
        "authenticating to \"{host}\": GET \"http://{host}/v2/\": response status code 401: Unauthorized"
    );
    assert_eq!(error, want);
    login("p").unwrap();
    let file = String::from_utf8(read(&folder.paths().registry_config)).unwrap();
    let want = format!(
        "{{\n\t\"auths\": {{\n\t\t\"{host}\": {{\n\t\t\t\"auth\": \"dTpw\"\n\t\t}}\n\t}}\n}}"
    );
    assert_eq!(file, want);
    assert_eq!(pull(&sources, &server, &plain()).unwrap(), archive("web", "1.2.0"));
    wait(sources.registry(&plain()).logout(&host)).unwrap();
    assert!(pull(&folder.sources(), &server, &plain()).is_err());
}

#[test]
fn tokens_are_fetched_for_the_scope_that_is_needed() {
    let tokens = Server::start(|seen, _| {
        assert!(is_authorized(seen, "Basic dTpw"));
        assert_eq!(seen.path, "/token?service=reg&scope=repository%3Acharts%2Fweb%3Apull");
        Answer::ok(r#"{"token":"t0k"}"#)
    });
    let realm = tokens.url("/token");
    let server = Server::start(move |seen, _| {
        if is_authorized(seen, "Bearer t0k") {
            return registry(seen);
        }
        assert_eq!(seen.header("authorization"), None);
        let challenge = format!("Bearer realm=\"{realm}\",service=\"reg\"");
        Answer::status(401, "Unauthorized").header("WWW-Authenticate", challenge)
    });
    let folder = Folder::new();
    folder.write(
        ".docker/config.json",
        &format!(r#"{{"auths":{{"http://{}/v2/":{{"auth":"dTpw"}}}}}}"#, server.host()),
    );
    assert_eq!(pull(&folder.sources(), &server, &plain()).unwrap(), archive("web", "1.2.0"));
    assert_eq!(tokens.seen().len(), 1);
}

#[test]
fn a_broken_helper_does_not_stop_an_anonymous_pull() {
    let folder = Folder::new();
    folder.write(".docker/config.json", r#"{"credsStore":"nosuch-helper"}"#);
    let tokens = Server::start(|seen, _| {
        assert_eq!(seen.header("authorization"), None);
        Answer::ok(r#"{"access_token":"anonymous"}"#)
    });
    let realm = tokens.url("/");
    let server = Server::start(move |seen, _| {
        if is_authorized(seen, "Bearer anonymous") {
            return registry(seen);
        }
        let challenge = format!("Bearer realm=\"{realm}\"");
        Answer::status(401, "Unauthorized").header("WWW-Authenticate", challenge)
    });
    assert_eq!(pull(&folder.sources(), &server, &plain()).unwrap(), archive("web", "1.2.0"));
    // Where the registry refuses, the helper is named.
    let server = Server::start(|_, _| {
        Answer::status(401, "Unauthorized").header("WWW-Authenticate", "Basic realm=\"x\"")
    });
    let error = pull(&folder.sources(), &server, &plain()).unwrap_err();
    assert!(error.contains("note: credential helper nosuch-helper: "), "{error}");
}

#[cfg(unix)]
#[test]
fn helpers_are_asked_and_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let script = "#!/bin/sh\ncat > $0.$1\n[ $1 = get ] && echo '{\"Username\":\"u\",\"Secret\":\"p\"}'\nexit 0\n";
    folder.write("bin/docker-credential-test", script);
    let program = folder.path("bin/docker-credential-test");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder.write(".config/helm/registry/config.json", r#"{"credsStore":"test"}"#);
    let server = Server::start(|seen, _| {
        if is_authorized(seen, "Basic dTpw") {
            return if seen.path == "/v2/" { Answer::ok("") } else { registry(seen) };
        }
        Answer::status(401, "Unauthorized").header("WWW-Authenticate", "Basic realm=\"x\"")
    });
    let path =
        std::env::join_paths([folder.path("bin"), "/bin".into(), "/usr/bin".into()]).unwrap();
    let sources = folder.sources().helpers(Some(path));
    assert_eq!(pull(&sources, &server, &plain()).unwrap(), archive("web", "1.2.0"));
    let credentials =
        Credentials { username: "u".into(), password: "p".into(), source: "x".into() };
    let registry = sources.registry(&plain());
    wait(registry.login(&server.host(), &credentials)).unwrap();
    let told = String::from_utf8(read(&folder.path("bin/docker-credential-test.store"))).unwrap();
    assert!(told.contains("\"Secret\":\"p\"") && told.contains(&server.host()), "{told}");
    wait(registry.logout(&server.host())).unwrap();
    assert_eq!(read(&folder.path("bin/docker-credential-test.erase")), server.host().as_bytes());
    let file = String::from_utf8(read(&folder.paths().registry_config)).unwrap();
    assert!(!file.contains("dTpw"), "{file}");
}

#[test]
fn blobs_elsewhere_are_fetched_without_credentials() {
    let store = Server::start(|seen, _| {
        assert_eq!(seen.header("authorization"), None);
        Answer::ok(archive("web", "1.2.0"))
    });
    let target = store.url("/blob");
    let server = Server::start(move |seen, _| {
        if !is_authorized(seen, "Basic dTpw") {
            return Answer::status(401, "Unauthorized")
                .header("WWW-Authenticate", "Basic realm=\"x\"");
        }
        match seen.path.ends_with(&sha256(&archive("web", "1.2.0"))) {
            true => Answer::redirect(&*target),
            false => registry(seen),
        }
    });
    let mut query = plain();
    query.credentials =
        Some(Credentials { username: "u".into(), password: "p".into(), source: "test".into() });
    let folder = Folder::new();
    assert_eq!(pull(&folder.sources(), &server, &query).unwrap(), archive("web", "1.2.0"));
    assert_eq!(store.seen().len(), 1);
}

/// Storage whose URLs are signed for `GET` refuses `HEAD`.
#[test]
fn blobs_may_want_a_token_that_the_manifest_did_not() {
    let store = Server::start(|seen, _| {
        assert_eq!(seen.header("authorization"), None);
        match seen.method.as_str() {
            "GET" => Answer::ok(archive("web", "1.2.0")),
            _ => Answer::status(403, "Forbidden"),
        }
    });
    let target = store.url("/blob?signature=get");
    let tokens = Server::start(|_, _| Answer::ok(r#"{"token":"t0k"}"#));
    let realm = tokens.url("/token");
    let server = Server::start(move |seen, _| {
        if seen.path.contains("/blobs/") && !is_authorized(seen, "Bearer t0k") {
            let challenge = format!("Bearer realm=\"{realm}\",service=\"reg\"");
            return Answer::status(401, "Unauthorized").header("WWW-Authenticate", challenge);
        }
        match seen.path.ends_with(&sha256(&archive("web", "1.2.0"))) {
            true => Answer::redirect(&*target),
            false => registry(seen),
        }
    });
    let folder = Folder::new();
    assert_eq!(pull(&folder.sources(), &server, &plain()).unwrap(), archive("web", "1.2.0"));
}

#[test]
fn a_redirect_can_not_ask_for_credentials() {
    let thief = Server::start(|_, _| {
        Answer::status(401, "Unauthorized").header("WWW-Authenticate", "Basic realm=\"x\"")
    });
    let target = thief.url("/v2/");
    let server = Server::start(move |_, _| Answer::redirect(&*target));
    let mut query = plain();
    query.credentials =
        Some(Credentials { username: "u".into(), password: "p".into(), source: "test".into() });
    query.version = "1.2.0".to_owned();
    let folder = Folder::new();
    assert!(pull(&folder.sources(), &server, &query).is_err());
    assert!(thief.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[test]
fn refresh_tokens_do_not_follow_redirects_to_others() {
    let thief = Server::start(|_, _| Answer::ok(r#"{"token":"t0k"}"#));
    let target = thief.url("/token");
    let tokens = Server::start(move |seen, _| {
        assert!(String::from_utf8_lossy(&seen.body).contains("refresh_token=r3fresh"));
        Answer::status(307, "Temporary Redirect").header("Location", &*target)
    });
    let realm = tokens.url("/token");
    let server = Server::start(move |_, _| {
        let challenge = format!("Bearer realm=\"{realm}\"");
        Answer::status(401, "Unauthorized").header("WWW-Authenticate", challenge)
    });
    let folder = Folder::new();
    folder.write(
        ".docker/config.json",
        &format!(r#"{{"auths":{{"{}":{{"identitytoken":"r3fresh"}}}}}}"#, server.host()),
    );
    let error = pull(&folder.sources(), &server, &plain()).unwrap_err();
    assert!(error.contains("would give credentials away"), "{error}");
    assert!(!error.contains("r3fresh"), "{error}");
    assert_eq!(tokens.seen().len(), 1);
    assert!(thief.seen().is_empty());
}

/// A server that serves only those who give a name and a password.
fn demanding(pair: &'static str) -> Server {
    Server::start(move |seen, _| match seen.header("authorization") {
        Some(given) if given == pair => registry(seen),
        _ => Answer::status(401, "Unauthorized").header("WWW-Authenticate", "Basic realm=\"x\""),
    })
}

#[test]
fn mirrors_do_not_get_the_credentials_of_others() {
    let given = |server: &Server| {
        let all = server.seen();
        all.iter().filter_map(|s| s.header("authorization").map(str::to_owned)).collect::<Vec<_>>()
    };
    let server = demanding("Basic dTpw");
    let mirror = demanding("Basic bTpt");
    let mut query = plain();
    query.version = "1.2.0".to_owned();
    query.credentials =
        Some(Credentials { username: "u".into(), password: "p".into(), source: "test".into() });
    let folder = Folder::new();
    let sources = folder.sources().mirrors(vec![(server.host(), mirror.host())]);
    assert!(pull(&sources, &server, &query).is_err());
    assert_eq!(given(&mirror), [""; 0]);
    // Its own it gets.
    folder.write(
        ".docker/config.json",
        &format!(r#"{{"auths":{{"{}":{{"auth":"bTpt"}}}}}}"#, mirror.host()),
    );
    assert_eq!(pull(&sources, &server, &query).unwrap(), archive("web", "1.2.0"));
    assert!(given(&mirror).iter().all(|given| given == "Basic bTpt"));
    assert!(server.seen().is_empty());
}

#[test]
fn mirrors_are_asked_first() {
    let server = Server::start(|seen, _| registry(seen));
    let mirror = Server::start(|seen, before| {
        let inner = seen.path.strip_prefix("/v2/cache/").map(|rest| format!("/v2/{rest}"));
        let mut inside = seen.clone();
        inside.path = inner.unwrap_or_default();
        if before == 0 { Answer::status(404, "Not Found") } else { registry(&inside) }
    });
    let mut query = plain();
    query.version = "1.2.0".to_owned();
    let folder = Folder::new();
    let mirrors = vec![(server.host(), format!("{}/cache", mirror.host()))];
    let sources = folder.sources().mirrors(mirrors);
    assert_eq!(pull(&sources, &server, &query).unwrap(), archive("web", "1.2.0"));
    let asked = server.seen().len();
    assert!(asked > 0, "the mirror had nothing");
    pull(&sources, &server, &query).unwrap();
    assert_eq!(server.seen().len(), asked, "the mirror has it");
}
