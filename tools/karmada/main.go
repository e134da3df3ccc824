// Command karmada runs Karmada's scheduler, those of its controllers through which an object passes on its way
// from the control plane to the members (clusters, resource detector, bindings with their overrides,
// dependencies, namespaces, execution, and the statuses that come back), and its webhooks for policies,
// bindings and works. It is what Karmada's scheduler, controller manager and webhook server are, without leader
// election, failover, autoscaling and services across clusters.
//
//	karmada -control-plane FILE    controllers over a control plane
//	karmada -overrides             answers, line by line, what the override manager makes of an object
//
// A question is a JSON object with `object`, `policies` (OverridePolicies and ClusterOverridePolicies) and
// `cluster`, the name of a member; an answer has `object` as the member gets it, or `error`.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	controllerruntime "sigs.k8s.io/controller-runtime"
)

func main() {
	kubeconfig := flag.String("control-plane", "", "kubeconfig of the control plane")
	overrides := flag.Bool("overrides", false, "answer what the override manager makes of objects")
	klog.InitFlags(nil)
	flag.Parse()
	controllerruntime.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *overrides {
		err = answerOverrides(os.Stdin, os.Stdout)
	} else {
		err = run(ctx, *kubeconfig)
	}
	if err != nil {
		klog.ErrorS(err, "ended")
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 400, 600
	if err := startScheduler(ctx, config); err != nil {
		return err
	}
	return runControllers(ctx, config)
}
