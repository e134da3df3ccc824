package main

import (
	"bufio"
	"encoding/json"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	policyv1alpha1 "github.com/karmada-io/karmada/pkg/apis/policy/v1alpha1"
	"github.com/karmada-io/karmada/pkg/util/gclient"
	"github.com/karmada-io/karmada/pkg/util/overridemanager"
)

type question struct {
	Object   map[string]any    `json:"object"`
	Policies []json.RawMessage `json:"policies"`
	Cluster  string            `json:"cluster"`
}

type answer struct {
	Object map[string]any `json:"object,omitempty"`
	Error  string         `json:"error,omitempty"`
}

// answerOverrides reads a question from each line, and writes a line for each.
func answerOverrides(in io.Reader, to io.Writer) error {
	scheme := gclient.NewSchema()
	lines, out := bufio.NewReader(in), bufio.NewWriter(to)
	encoder := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return nil
		}
		var given answer
		if given.Object, err = overridden(scheme, line); err != nil {
			given = answer{Error: err.Error()}
		}
		if err := encoder.Encode(given); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func overridden(scheme *runtime.Scheme, line []byte) (map[string]any, error) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	objects := []client.Object{
		&clusterv1alpha1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: asked.Cluster}},
	}
	for _, raw := range asked.Policies {
		policy, err := policyOf(raw)
		if err != nil {
			return nil, err
		}
		objects = append(objects, policy)
	}
	known := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	manager := overridemanager.New(known, &record.FakeRecorder{})
	// Whole numbers are int64 to Kubernetes.
	text, err := json.Marshal(asked.Object)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	if _, _, err := manager.ApplyOverridePolicies(object, asked.Cluster); err != nil {
		return nil, err
	}
	return object.Object, nil
}

func policyOf(raw json.RawMessage) (client.Object, error) {
	var head metav1.TypeMeta
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	var policy client.Object = &policyv1alpha1.OverridePolicy{}
	if head.Kind == "ClusterOverridePolicy" {
		policy = &policyv1alpha1.ClusterOverridePolicy{}
	}
	return policy, json.Unmarshal(raw, policy)
}
