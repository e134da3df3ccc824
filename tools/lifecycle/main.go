// Lifecycle prints when the kinds of Kubernetes were deprecated and removed, and what replaces them: one
// tab-separated line for each kind that says so, in the form of bowsprit's tables.
//
//	go run . > ../../crates/bowsprit-validate/src/lifecycle/scheme.tsv
package main

import (
	"fmt"
	"os"
	"sort"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kscheme "k8s.io/client-go/kubernetes/scheme"
)

type deprecated interface{ APILifecycleDeprecated() (int, int) }
type removed interface{ APILifecycleRemoved() (int, int) }
type replaced interface {
	APILifecycleReplacement() schema.GroupVersionKind
}

func main() {
	scheme := runtime.NewScheme()
	if err := kscheme.AddToScheme(scheme); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var lines []string
	for gvk := range scheme.AllKnownTypes() {
		object, err := scheme.New(gvk)
		if err != nil {
			continue
		}
		d, ok := object.(deprecated)
		if !ok {
			continue
		}
		major, minor := d.APILifecycleDeprecated()
		if major == 0 && minor == 0 {
			continue
		}
		end, use := "-", "-"
		if r, ok := object.(removed); ok {
			if major, minor := r.APILifecycleRemoved(); major != 0 || minor != 0 {
				end = fmt.Sprintf("%d.%d", major, minor)
			}
		}
		if r, ok := object.(replaced); ok {
			if to := r.APILifecycleReplacement(); !to.Empty() {
				use = to.GroupVersion().String() + " " + to.Kind
			}
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%d.%d\t%s\t%s", gvk.GroupVersion(), gvk.Kind, major, minor, end, use))
	}
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
}
