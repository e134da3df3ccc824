package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/karmada-io/karmada/pkg/webhook/clusteroverridepolicy"
	"github.com/karmada-io/karmada/pkg/webhook/clusterpropagationpolicy"
	"github.com/karmada-io/karmada/pkg/webhook/clusterresourcebinding"
	"github.com/karmada-io/karmada/pkg/webhook/overridepolicy"
	"github.com/karmada-io/karmada/pkg/webhook/propagationpolicy"
	"github.com/karmada-io/karmada/pkg/webhook/resourcebinding"
	"github.com/karmada-io/karmada/pkg/webhook/work"
)

// hook is one of Karmada's webhooks; without the mutating ones nothing gets the identity that controllers look for.
type hook struct {
	group, resource string
	mutates         bool
	handler         admission.Handler
}

func (h hook) path() string {
	if h.mutates {
		return "/mutate-" + h.resource
	}
	return "/validate-" + h.resource
}

func hooks(decoder admission.Decoder) []hook {
	const policy, works = "policy.karmada.io", "work.karmada.io"
	return []hook{
		{policy, "propagationpolicies", true, propagationpolicy.NewMutatingHandler(decoder)},
		{policy, "propagationpolicies", false, &propagationpolicy.ValidatingAdmission{Decoder: decoder}},
		{policy, "clusterpropagationpolicies", true, clusterpropagationpolicy.NewMutatingHandler(decoder)},
		{policy, "clusterpropagationpolicies", false, &clusterpropagationpolicy.ValidatingAdmission{Decoder: decoder}},
		{policy, "overridepolicies", true, &overridepolicy.MutatingAdmission{Decoder: decoder}},
		{policy, "overridepolicies", false, &overridepolicy.ValidatingAdmission{Decoder: decoder}},
		{policy, "clusteroverridepolicies", false, &clusteroverridepolicy.ValidatingAdmission{Decoder: decoder}},
		{works, "resourcebindings", true, &resourcebinding.MutatingAdmission{Decoder: decoder}},
		{works, "clusterresourcebindings", true, &clusterresourcebinding.MutatingAdmission{Decoder: decoder}},
		{works, "works", true, &work.MutatingAdmission{Decoder: decoder}},
	}
}

// server listens on a free port, with a certificate of its own.
type server struct {
	webhook.Server
	port     int
	caBundle []byte
	folder   string
}

func newServer() (*server, error) {
	folder, err := os.MkdirTemp("", "karmada-webhooks-")
	if err != nil {
		return nil, err
	}
	certificate, err := writeCertificate(folder)
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return nil, err
	}
	options := webhook.Options{Host: "127.0.0.1", Port: port, CertDir: folder}
	return &server{webhook.NewServer(options), port, certificate, folder}, nil
}

// writeCertificate writes a certificate for loopback and its key as webhook.Options look for them.
func writeCertificate(folder string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "karmada-webhook"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(folder, "tls.crt"), certificate, 0o600); err != nil {
		return nil, err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	return certificate, os.WriteFile(filepath.Join(folder, "tls.key"), private, 0o600)
}

// serve has the control plane ask the webhooks.
func (s *server) serve(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) error {
	var mutating []admissionv1.MutatingWebhook
	var validating []admissionv1.ValidatingWebhook
	none, versions := admissionv1.SideEffectClassNone, []string{"v1"}
	for _, hook := range hooks(admission.NewDecoder(scheme)) {
		s.Register(hook.path(), &webhook.Admission{Handler: hook.handler})
		name := hook.resource + ".karmada.io"
		url := fmt.Sprintf("https://127.0.0.1:%d%s", s.port, hook.path())
		client := admissionv1.WebhookClientConfig{URL: &url, CABundle: s.caBundle}
		rules := []admissionv1.RuleWithOperations{{
			Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
			Rule: admissionv1.Rule{
				APIGroups: []string{hook.group}, APIVersions: []string{"*"}, Resources: []string{hook.resource},
			},
		}}
		if hook.mutates {
			mutating = append(mutating, admissionv1.MutatingWebhook{
				Name: name, ClientConfig: client, Rules: rules, SideEffects: &none, AdmissionReviewVersions: versions,
			})
		} else {
			validating = append(validating, admissionv1.ValidatingWebhook{
				Name: name, ClientConfig: client, Rules: rules, SideEffects: &none, AdmissionReviewVersions: versions,
			})
		}
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	named, options := metav1.ObjectMeta{Name: "karmada"}, metav1.CreateOptions{}
	api := kube.AdmissionregistrationV1()
	first := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: named, Webhooks: mutating}
	if _, err := api.MutatingWebhookConfigurations().Create(ctx, first, options); err != nil {
		return err
	}
	second := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: named, Webhooks: validating}
	_, err = api.ValidatingWebhookConfigurations().Create(ctx, second, options)
	return err
}
