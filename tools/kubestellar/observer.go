package main

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestellar/kubestellar/pkg/binding"
	"github.com/kubestellar/kubestellar/pkg/status"
	"github.com/kubestellar/kubestellar/pkg/util"
)

// relay tells the status controller, which needs the binding controller to be made, what that one sees.
type relay struct {
	to *status.Controller
}

func (r *relay) HandleWorkloadObjectEvent(
	resource schema.GroupVersionResource, before, after util.MRObject, event binding.WorkloadEventType, unknown bool,
) {
	if r.to != nil {
		r.to.HandleWorkloadObjectEvent(resource, before, after, event, unknown)
	}
}
