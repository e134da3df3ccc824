//! Renders one chart for several environments, from several threads.
//!
//! Run it on a chart with
//!
//! ```sh
//! cargo run --example embed -- path/to/chart
//! ```

#![allow(clippy::print_stdout, reason = "examples show what they do")]

use bowsprit::render::values::{ValuesOptions, merge};
use bowsprit::{Engine, RenderRequest, host::OsHost, loader, pipeline};
use std::sync::Arc;
use std::thread;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which chart?")?;
    let chart = loader::load(&path, &loader::Options::default())?;

    // An engine is made once, a chart compiled once. Both are `Send` and `Sync`.
    let web = Engine::new().compile(Arc::new(chart.output));

    let render = |environment: &str| -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let set = vec![format!("environment={environment}")];
        let options = ValuesOptions { set, ..ValuesOptions::default() };
        let values = merge(&options, &mut |file| Err(format!("no file {file} here")))?;
        let request = RenderRequest::new(format!("web-{environment}"), environment).values(values);
        // Warnings are returned, never printed. The host is the templates' only door to the outside.
        let options = pipeline::Options::default();
        let rendered = pipeline::render(&web, &request, &options, &OsHost::new())?;
        Ok(pipeline::print(&rendered.output, &options))
    };

    thread::scope(|scope| {
        let threads = ["staging", "prod"].map(|name| (name, scope.spawn(move || render(name))));
        for (name, thread) in threads {
            match thread.join().expect("renders do not panic") {
                Ok(text) => println!("{name}: {} bytes of manifests", text.len()),
                Err(error) => println!("{name}: {error}"),
            }
        }
    });
    Ok(())
}
