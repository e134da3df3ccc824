//! Whom to trust and how to identify.

use super::TransportError;
use super::trust::Trust;
use crate::io::PathError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// Whom to trust and how to identify. Empty names stand for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    /// A certificate to identify with, in PEM.
    pub cert_file: String,
    /// Its key, in PEM.
    pub key_file: String,
    /// The authorities to trust, in PEM; without it those of the system are trusted.
    pub ca_file: String,
    /// Trusts every server.
    pub insecure: bool,
}

impl Tls {
    /// The same trust without the certificate to identify with: what another host gets to see.
    pub(crate) fn anonymous(&self) -> Tls {
        Tls { cert_file: String::new(), key_file: String::new(), ..self.clone() }
    }

    /// Reads the files that are named and forgets what they hold, to fail early where Helm does.
    ///
    /// # Errors
    ///
    /// As for a request with these options.
    pub fn check(&self) -> Result<(), TransportError> {
        self.config(false).map(drop)
    }

    /// What rustls is to do. The system's authorities are read only where they are wanted.
    pub(crate) fn config(&self, system_roots: bool) -> Result<ClientConfig, TransportError> {
        let (identity, roots) = self.files()?;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| TransportError::TlsOptions(e.to_string()))?;
        let builder = if self.insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        } else {
            let known = roots.unwrap_or_else(|| match system_roots {
                // Those that can't be read are as good as absent, as for Go.
                true => rustls_native_certs::load_native_certs().certs,
                false => Vec::new(),
            });
            let trust = Trust::new(known, provider).map_err(TransportError::TlsOptions)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(trust))
        };
        let mut config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|e| {
                TransportError::TlsOptions(format!("unable to load cert from key pair: {e}"))
            })?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn files(&self) -> Result<(Option<Identity>, Option<Vec<Certificate>>), TransportError> {
        let mut errors = Vec::new();
        let mut identity = None;
        if !(self.cert_file.is_empty() && self.key_file.is_empty()) {
            match self.identity_texts() {
                Ok(texts) => identity = Some(texts),
                Err(error) => errors.push(error),
            }
        }
        let mut roots = None;
        if !self.ca_file.is_empty() {
            match read(&self.ca_file, "can't read CA file") {
                Ok(text) => roots = Some(text),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(TransportError::TlsOptions(errors.join("\n")));
        }
        let identity = identity.map(|(cert, key)| parse_identity(&cert, &key)).transpose()?;
        Ok((identity, roots.map(|text| parse_roots(&text)).transpose()?))
    }

    fn identity_texts(&self) -> Result<(Vec<u8>, Vec<u8>), String> {
        let cert = read(&self.cert_file, "unable to read cert file")?;
        Ok((cert, read(&self.key_file, "unable to read key file")?))
    }
}

type Certificate = CertificateDer<'static>;

type Identity = (Vec<Certificate>, PrivateKeyDer<'static>);

fn read(file: &str, what: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| {
        let error = PathError::new("open", Path::new(file), error);
        format!("{what}: {file:?}: {error}")
    })
}

fn parse_identity(cert: &[u8], key: &[u8]) -> Result<Identity, TransportError> {
    let failed = |what: &str| {
        TransportError::TlsOptions(format!("unable to load cert from key pair: tls: {what}"))
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(cert).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(failed("failed to find any PEM data in certificate input"));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| failed("failed to find any PEM data in key input"))?;
    Ok((chain, key))
}

fn parse_roots(text: &[u8]) -> Result<Vec<Certificate>, TransportError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(text).filter_map(Result::ok).collect();
    if RootCertStore::empty().add_parsable_certificates(found.iter().cloned()).0 == 0 {
        let text = "failed to append certificates from pem block";
        return Err(TransportError::TlsOptions(text.to_owned()));
    }
    Ok(found)
}

/// Trusts everyone, but still has signatures checked that are part of the protocol.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
