//! A registry and a web server on loopback, started for a test and ended with it.

#![allow(clippy::unwrap_used)]

use crate::packages::Folder;
use crate::tools::tool;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that serves a port of this machine.
pub(crate) struct Service {
    child: Child,
    pub(crate) port: u16,
}

impl Service {
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn start(program: &Path, args: &[&str], log: &Path, port: u16) -> Service {
        let log = fs::File::create(log).unwrap();
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let service = Service { child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "{program:?} does not answer");
            std::thread::sleep(Duration::from_millis(30));
        }
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// How a registry is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Open,
    /// `user` and `geheim`.
    Password,
    /// With the certificate of [`certificates`].
    Tls,
    /// With both.
    TlsAndPassword,
    /// With a certificate that it has signed itself, `server.pem`, as most guides have it.
    SelfSigned,
}

/// The CNCF's registry. None, said loudly, where there are no tools.
pub(crate) fn registry(folder: &Folder, guard: Guard) -> Option<Service> {
    let program = tool("docker-registry")?;
    let port = free_port();
    let name = format!("registry-{port}");
    let root = folder.path(&name);
    let mut config = format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: \
         127.0.0.1:{port}\n",
        root.display()
    );
    if matches!(guard, Guard::Tls | Guard::TlsAndPassword) {
        certificates(folder)?;
        let (cert, key) = (folder.path("server.pem"), folder.path("server.key"));
        config += &format!("  tls: {{certificate: {}, key: {}}}\n", cert.display(), key.display());
    }
    if guard == Guard::SelfSigned {
        self_signed(folder)?;
        let (cert, key) = (folder.path("server.pem"), folder.path("server.key"));
        config += &format!("  tls: {{certificate: {}, key: {}}}\n", cert.display(), key.display());
    }
    if matches!(guard, Guard::Password | Guard::TlsAndPassword) {
        folder.write("htpasswd", HTPASSWD);
        let file = folder.path("htpasswd");
        config += &format!("auth: {{htpasswd: {{realm: charts, path: {}}}}}\n", file.display());
    }
    let file = format!("{name}.yml");
    folder.write(&file, &config);
    let file = folder.path(&file);
    let log = folder.path(&format!("{name}.log"));
    let args = ["serve", &file.display().to_string()].map(str::to_owned);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Some(Service::start(&program, &args, &log, port))
}

/// `user` and `geheim`, hashed with bcrypt at its cheapest: each request is checked.
const HTPASSWD: &str = "user:$2b$04$abcdefghijklmnopqrstuuPWRtT5yx7FBi4dcf6ROhboeNunUrLQ.\n";

/// An authority, and certificates of it for a server and a client.
pub(crate) fn certificates(folder: &Folder) -> Option<()> {
    let openssl = tool("openssl")?;
    let run = |args: &str| {
        let args: Vec<&str> = args.split(' ').collect();
        folder.ok(&openssl, &args);
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    run(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"));
    folder.write("names", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    for name in ["server", "client"] {
        run(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        run(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out \
             {name}.pem"
        ));
    }
    Some(())
}

/// A certificate that OpenSSL marks as an authority, because nobody else has signed it.
fn self_signed(folder: &Folder) -> Option<()> {
    let args = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext \
                subjectAltName=IP:127.0.0.1 -keyout server.key -out server.pem";
    folder.ok(&tool("openssl")?, &args.split(' ').collect::<Vec<_>>());
    Some(())
}

/// How a web server is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// `user` and `geheim`.
    Password,
    /// TLS.
    Tls,
    /// TLS, and a certificate of the client's.
    Certificate,
}

/// nginx on a folder's `served`. None, said loudly, where there are no tools.
pub(crate) fn web(folder: &Folder, door: Door) -> Option<Service> {
    let program = tool("nginx")?;
    let port = free_port();
    let at = folder.path("");
    let at = at.display();
    let guard = match door {
        Door::Open => String::new(),
        Door::Password => {
            folder.write("htpasswd", "user:{PLAIN}geheim\n");
            format!("auth_basic charts; auth_basic_user_file {at}/htpasswd;")
        }
        Door::Tls => {
            certificates(folder)?;
            format!("ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;")
        }
        Door::Certificate => {
            certificates(folder)?;
            format!(
                "ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key; \
                 ssl_client_certificate {at}/ca.pem; ssl_verify_client on;"
            )
        }
    };
    let ssl = if matches!(door, Door::Tls | Door::Certificate) { " ssl" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {at}/tmp-{name};\n"))
        .collect();
    let config = format!(
        "daemon off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/nginx.log;\nevents {{}}\nhttp \
         {{\naccess_log {at}/access.log;\n{temporary}server {{ listen 127.0.0.1:{port}{ssl}; root {at}/served; \
         {guard} }}\n}}\n"
    );
    folder.write(&format!("nginx-{port}.conf"), &config);
    let file = folder.path(&format!("nginx-{port}.conf")).display().to_string();
    let log = folder.path("nginx.out");
    Some(Service::start(&program, &["-c", &file], &log, port))
}
