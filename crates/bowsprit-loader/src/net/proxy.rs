//! Proxies, as Go's `http.ProxyFromEnvironment` finds them.

/// Through which proxies requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The proxy for `http:` URLs.
    pub http: Option<String>,
    /// The proxy for `https:` URLs.
    pub https: Option<String>,
    /// Hosts, domains and networks that are reached without a proxy, separated by commas.
    pub except: String,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case, from an environment.
    ///
    /// In a CGI script `HTTP_PROXY` may come from a client's header, so it is not trusted there.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Proxies {
        let either = |upper: &str| {
            let lower = upper.to_ascii_lowercase();
            var(upper).filter(|v| !v.is_empty()).or_else(|| var(&lower).filter(|v| !v.is_empty()))
        };
        let is_cgi = var("REQUEST_METHOD").is_some_and(|method| !method.is_empty());
        Proxies {
            http: either("HTTP_PROXY").filter(|_| !is_cgi),
            https: either("HTTPS_PROXY"),
            except: either("NO_PROXY").unwrap_or_default(),
        }
    }

    pub(super) fn apply(
        &self,
        mut builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        builder = builder.no_proxy();
        if self.except.trim() == "*" {
            return Ok(builder);
        }
        // Go never asks a proxy for this machine.
        let except = format!("localhost,127.0.0.0/8,::1,{}", self.except);
        let except = || reqwest::NoProxy::from_string(&except);
        if let Some(proxy) = &self.http {
            builder = builder.proxy(reqwest::Proxy::http(absolute(proxy))?.no_proxy(except()));
        }
        if let Some(proxy) = &self.https {
            builder = builder.proxy(reqwest::Proxy::https(absolute(proxy))?.no_proxy(except()));
        }
        Ok(builder)
    }
}

/// A proxy may be given without a scheme.
fn absolute(proxy: &str) -> String {
    if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_as_go_reads_them() {
        let env = |pairs: &'static [(&str, &str)]| {
            Proxies::from_env(move |name| {
                pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
            })
        };
        let proxies = env(&[("http_proxy", "p:1"), ("HTTPS_PROXY", "http://s"), ("no_proxy", "x")]);
        assert_eq!(proxies.http.as_deref(), Some("p:1"));
        assert_eq!(proxies.https.as_deref(), Some("http://s"));
        assert_eq!(proxies.except, "x");
        assert_eq!(env(&[("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")]).http, None);
        assert_eq!(absolute("p:1"), "http://p:1");
    }
}
