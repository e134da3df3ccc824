// Command kubestellar runs KubeStellar's binding and status controllers and its transport controller for OCM
// against two API servers that kubeconfig files name: a workload description space, and an inventory and
// transport space. It is what KubeStellar's own two programs are, without KubeFlex to look the spaces up in.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/dynamic"
	k8sinformers "k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"
	clusterclient "open-cluster-management.io/api/client/cluster/clientset/versioned"
	clusterinformers "open-cluster-management.io/api/client/cluster/informers/externalversions"

	"github.com/kubestellar/kubestellar/pkg/binding"
	ksclientset "github.com/kubestellar/kubestellar/pkg/generated/clientset/versioned"
	ksinformers "github.com/kubestellar/kubestellar/pkg/generated/informers/externalversions"
	ksmetrics "github.com/kubestellar/kubestellar/pkg/metrics"
	"github.com/kubestellar/kubestellar/pkg/status"
	transport "github.com/kubestellar/kubestellar/pkg/transport/generic"
	ocm "github.com/kubestellar/kubestellar/pkg/transport/ocm-transport-controller/pkg"
	"github.com/kubestellar/kubestellar/pkg/util"
)

const (
	workers = 4
	// What the transport controller has by default.
	maxWrapped = 500 * 1024
)

func main() {
	wds := flag.String("wds", "", "kubeconfig of the workload description space")
	its := flag.String("its", "", "kubeconfig of the inventory and transport space")
	name := flag.String("wds-name", "wds1", "name of the workload description space")
	klog.InitFlags(nil)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *wds, *its, *name); err != nil {
		klog.ErrorS(err, "ended")
		os.Exit(1)
	}
}

func run(ctx context.Context, wdsFile, itsFile, name string) error {
	wds, err := clientcmd.BuildConfigFromFlags("", wdsFile)
	if err != nil {
		return err
	}
	its, err := clientcmd.BuildConfigFromFlags("", itsFile)
	if err != nil {
		return err
	}
	metrics := ksmetrics.NewMultiSpaceClientMetrics()
	// Without a registry there is nothing behind the metrics.
	ksmetrics.MustRegister(legacyregistry.Register, metrics)
	ofWds, ofIts := metrics.MetricsForSpace("wds"), metrics.MetricsForSpace("its")
	if err := startBindingAndStatus(ctx, ofWds, ofIts, wds, its, name); err != nil {
		return err
	}
	return runTransport(ctx, ofWds, ofIts, wds, its, name)
}

func startBindingAndStatus(
	ctx context.Context, ofWds, ofIts ksmetrics.ClientMetrics, wds, its *rest.Config, name string,
) error {
	all, events, log := util.ParseAPIGroupsString(""), &relay{}, klog.Background()
	bindings, err := binding.NewController(log, ofWds, ofIts, wds, its, name, all, events)
	if err != nil {
		return err
	}
	if err := bindings.EnsureCRDs(ctx); err != nil {
		return err
	}
	if err := bindings.AppendKSResources(ctx); err != nil {
		return err
	}
	events.to, err = status.NewController(log, ofWds, ofIts, wds, its, name, bindings.GetBindingPolicyResolver())
	if err != nil {
		return err
	}
	listers := make(chan interface{}, 1)
	if err := bindings.Start(ctx, workers, listers); err != nil {
		return err
	}
	return events.to.Start(ctx, workers, listers)
}

func runTransport(
	ctx context.Context, ofWds, ofIts ksmetrics.ClientMetrics, wds, its *rest.Config, name string,
) error {
	ofControl, err := ksclientset.NewForConfig(wds)
	if err != nil {
		return err
	}
	ofWorkload, err := dynamic.NewForConfig(wds)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(its)
	if err != nil {
		return err
	}
	ofWorks, err := dynamic.NewForConfig(its)
	if err != nil {
		return err
	}
	inventory, err := clusterclient.NewForConfig(its)
	if err != nil {
		return err
	}
	clusters := clusterinformers.NewSharedInformerFactory(inventory, 0)
	control := ksinformers.NewSharedInformerFactoryWithOptions(ofControl, 0)
	maps := k8sinformers.NewSharedInformerFactory(kube, 0)
	bindings := control.Control().V1alpha1()
	controller, err := transport.NewTransportController(ctx, ofWds, ofIts,
		clusters.Cluster().V1().ManagedClusters(),
		ofControl.ControlV1alpha1().Bindings(), bindings.Bindings(), bindings.CustomTransforms(),
		ocm.NewOCMTransport(), ofControl, ofWorkload, kube.CoreV1().Namespaces(),
		maps.Core().V1().ConfigMaps(), kube, ofWorks, maxWrapped, maxWrapped, name)
	if err != nil {
		return err
	}
	controller.RegisterMetrics(legacyregistry.Register)
	clusters.Start(ctx.Done())
	control.Start(ctx.Done())
	maps.Start(ctx.Done())
	return controller.Run(ctx, workers)
}
