package main

import (
	"context"
	"os"
	"regexp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	controllerruntime "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	"github.com/karmada-io/karmada/pkg/controllers/binding"
	"github.com/karmada-io/karmada/pkg/controllers/cluster"
	"github.com/karmada-io/karmada/pkg/controllers/execution"
	"github.com/karmada-io/karmada/pkg/controllers/namespace"
	"github.com/karmada-io/karmada/pkg/controllers/status"
	"github.com/karmada-io/karmada/pkg/dependenciesdistributor"
	"github.com/karmada-io/karmada/pkg/detector"
	karmadaclientset "github.com/karmada-io/karmada/pkg/generated/clientset/versioned"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter"
	"github.com/karmada-io/karmada/pkg/scheduler"
	"github.com/karmada-io/karmada/pkg/sharedcli/ratelimiterflag"
	"github.com/karmada-io/karmada/pkg/util"
	"github.com/karmada-io/karmada/pkg/util/fedinformer"
	"github.com/karmada-io/karmada/pkg/util/fedinformer/genericmanager"
	"github.com/karmada-io/karmada/pkg/util/fedinformer/typedmanager"
	"github.com/karmada-io/karmada/pkg/util/gclient"
	"github.com/karmada-io/karmada/pkg/util/helper"
	"github.com/karmada-io/karmada/pkg/util/indexregistry"
	"github.com/karmada-io/karmada/pkg/util/objectwatcher"
	"github.com/karmada-io/karmada/pkg/util/overridemanager"
	"github.com/karmada-io/karmada/pkg/util/restmapper"
)

// skipped are the namespaces that are not propagated unless it is asked for.
var skipped = []*regexp.Regexp{regexp.MustCompile("^kube-.*$")}

const (
	workers          = 3
	cacheSyncTimeout = 2 * time.Minute
)

func startScheduler(ctx context.Context, config *rest.Config) error {
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	own, err := karmadaclientset.NewForConfig(config)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	scheduler, err := scheduler.NewScheduler(objects, own, kube,
		scheduler.WithEnableSchedulerPlugin([]string{"*"}),
		scheduler.WithSchedulerName(scheduler.DefaultScheduler))
	if err != nil {
		return err
	}
	go scheduler.Run(ctx)
	return nil
}

// parts is what controllers share.
type parts struct {
	controllerruntime.Manager
	ctx         context.Context
	objects     dynamic.Interface
	informers   genericmanager.SingleClusterInformerManager
	interpreter resourceinterpreter.ResourceInterpreter
	overrides   overridemanager.OverrideManager
	watcher     objectwatcher.ObjectWatcher
	members     *util.ClientOption
	limits      ratelimiterflag.Options
}

func runControllers(ctx context.Context, config *rest.Config) error {
	hooks, err := newServer()
	if err != nil {
		return err
	}
	defer os.RemoveAll(hooks.folder)
	manager, err := controllerruntime.NewManager(config, controllerruntime.Options{
		Logger:         klog.Background(),
		Scheme:         gclient.NewSchema(),
		Metrics:        metricsserver.Options{BindAddress: "0"},
		WebhookServer:  hooks,
		MapperProvider: restmapper.MapperProvider,
		BaseContext:    func() context.Context { return ctx },
		NewCache: func(config *rest.Config, options cache.Options) (cache.Cache, error) {
			options.DefaultTransform = fedinformer.StripUnusedFields
			return cache.New(config, options)
		},
	})
	if err != nil {
		return err
	}
	// Asking for the server is what has the manager start it.
	manager.GetWebhookServer()
	if err := hooks.serve(ctx, config, manager.GetScheme()); err != nil {
		return err
	}
	p := &parts{Manager: manager, ctx: ctx}
	if err := p.fill(config); err != nil {
		return err
	}
	for _, add := range []func() error{
		p.index, p.addClusters, p.addDetector, p.addBindings, p.addExecution, p.addStatuses,
	} {
		if err := add(); err != nil {
			return err
		}
	}
	defer genericmanager.StopInstance()
	return manager.Start(ctx)
}

func (p *parts) fill(config *rest.Config) (err error) {
	if p.objects, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	p.informers = genericmanager.NewSingleClusterInformerManager(p.ctx, p.objects, 0)
	services := informers.NewSharedInformerFactory(kube, 0).Core().V1().Services().Lister()
	p.interpreter = resourceinterpreter.NewResourceInterpreter(p.informers, services)
	if err := p.interpreter.Start(p.ctx); err != nil {
		return err
	}
	p.overrides = overridemanager.New(p.GetClient(), p.GetEventRecorderFor("overrides"))
	limits := util.GetClusterRateLimiterGetter().SetDefaultLimits(400, 600)
	p.members = &util.ClientOption{RateLimiterGetter: limits.GetRateLimiter}
	p.watcher = objectwatcher.NewObjectWatcher(p.GetClient(), p.GetRESTMapper(),
		util.NewClusterDynamicClientSet, p.members, p.interpreter)
	return nil
}

// index adds what controllers find works and bindings by.
func (p *parts) index() error {
	for _, register := range []func(context.Context, controllerruntime.Manager) error{
		indexregistry.RegisterResourceBindingIndexByFieldCluster,
		indexregistry.RegisterClusterResourceBindingIndexByFieldCluster,
		indexregistry.RegisterWorkIndexByLabelResourceBindingID,
		indexregistry.RegisterWorkIndexByLabelClusterResourceBindingID,
	} {
		if err := register(p.ctx, p.Manager); err != nil {
			return err
		}
	}
	return nil
}

func (p *parts) addClusters() error {
	return (&cluster.Controller{
		Client:                    p.GetClient(),
		EventRecorder:             p.GetEventRecorderFor(cluster.ControllerName),
		ClusterMonitorPeriod:      5 * time.Second,
		ClusterMonitorGracePeriod: time.Minute,
		ClusterStartupGracePeriod: time.Minute,
		CleanupCheckInterval:      10 * time.Second,
		RateLimiterOptions:        p.limits,
	}).SetupWithManager(p.Manager)
}

func (p *parts) addDetector() error {
	found, err := discovery.NewDiscoveryClientForConfig(p.GetConfig())
	if err != nil {
		return err
	}
	err = p.Add(&detector.ResourceDetector{
		DiscoveryClientSet:                      found,
		Client:                                  p.GetClient(),
		InformerManager:                         p.informers,
		ControllerRuntimeCache:                  p.GetCache(),
		RESTMapper:                              p.GetRESTMapper(),
		DynamicClient:                           p.objects,
		SkippedResourceConfig:                   util.NewSkippedResourceConfig(),
		SkippedPropagatingNamespaces:            skipped,
		ResourceInterpreter:                     p.interpreter,
		EventRecorder:                           p.GetEventRecorderFor("resource-detector"),
		ConcurrentPropagationPolicySyncs:        workers,
		ConcurrentClusterPropagationPolicySyncs: workers,
		ConcurrentResourceTemplateSyncs:         workers,
		RateLimiterOptions:                      p.limits,
	})
	if err != nil {
		return err
	}
	return (&dependenciesdistributor.DependenciesDistributor{
		Client:                           p.GetClient(),
		DynamicClient:                    p.objects,
		InformerManager:                  p.informers,
		ResourceInterpreter:              p.interpreter,
		RESTMapper:                       p.GetRESTMapper(),
		EventRecorder:                    p.GetEventRecorderFor("dependencies-distributor"),
		RateLimiterOptions:               p.limits,
		ConcurrentDependentResourceSyncs: workers,
	}).SetupWithManager(p.Manager)
}

func (p *parts) addBindings() error {
	err := (&binding.ResourceBindingController{
		Client:              p.GetClient(),
		DynamicClient:       p.objects,
		EventRecorder:       p.GetEventRecorderFor(binding.ControllerName),
		RESTMapper:          p.GetRESTMapper(),
		OverrideManager:     p.overrides,
		InformerManager:     p.informers,
		ResourceInterpreter: p.interpreter,
		RateLimiterOptions:  p.limits,
	}).SetupWithManager(p.Manager)
	if err != nil {
		return err
	}
	err = (&binding.ClusterResourceBindingController{
		Client:              p.GetClient(),
		DynamicClient:       p.objects,
		EventRecorder:       p.GetEventRecorderFor(binding.ClusterResourceBindingControllerName),
		RESTMapper:          p.GetRESTMapper(),
		OverrideManager:     p.overrides,
		InformerManager:     p.informers,
		ResourceInterpreter: p.interpreter,
		RateLimiterOptions:  p.limits,
	}).SetupWithManager(p.Manager)
	if err != nil {
		return err
	}
	return (&namespace.Controller{
		Client:             p.GetClient(),
		EventRecorder:      p.GetEventRecorderFor(namespace.ControllerName),
		OverrideManager:    p.overrides,
		RateLimiterOptions: p.limits,

		SkippedPropagatingNamespaces: skipped,
	}).SetupWithManager(p.Manager)
}

func (p *parts) addExecution() error {
	return (&execution.Controller{
		Client:             p.GetClient(),
		EventRecorder:      p.GetEventRecorderFor(execution.ControllerName),
		RESTMapper:         p.GetRESTMapper(),
		ObjectWatcher:      p.watcher,
		WorkPredicateFunc:  helper.WorkWithinPushClusterPredicate(p.Manager),
		InformerManager:    genericmanager.GetInstance(),
		RateLimiterOptions: p.limits,
	}).SetupWithManager(p.Manager)
}

func (p *parts) addStatuses() error {
	pushed := predicate.NewPredicateFuncs(func(object client.Object) bool {
		member, ok := object.(*clusterv1alpha1.Cluster)
		return ok && member.Spec.SecretRef != nil && member.Spec.SyncMode == clusterv1alpha1.Push
	})
	second := metav1.Duration{Duration: time.Second}
	err := (&status.ClusterStatusController{
		Client:                       p.GetClient(),
		KubeClient:                   kubernetes.NewForConfigOrDie(p.GetConfig()),
		EventRecorder:                p.GetEventRecorderFor(status.ControllerName),
		PredicateFunc:                pushed,
		TypedInformerManager:         typedmanager.GetInstance(),
		GenericInformerManager:       genericmanager.GetInstance(),
		ClusterClientSetFunc:         util.NewClusterClientSet,
		ClusterDynamicClientSetFunc:  util.NewClusterDynamicClientSet,
		ClusterClientOption:          p.members,
		ClusterStatusUpdateFrequency: metav1.Duration{Duration: 5 * time.Second},
		ClusterSuccessThreshold:      second,
		ClusterFailureThreshold:      second,
		ClusterCacheSyncTimeout:      metav1.Duration{Duration: cacheSyncTimeout},
		RateLimiterOptions:           p.limits,
	}).SetupWithManager(p.Manager)
	if err != nil {
		return err
	}
	work := &status.WorkStatusController{
		Client:                      p.GetClient(),
		EventRecorder:               p.GetEventRecorderFor(status.WorkStatusControllerName),
		RESTMapper:                  p.GetRESTMapper(),
		InformerManager:             genericmanager.GetInstance(),
		Context:                     p.ctx,
		ObjectWatcher:               p.watcher,
		WorkPredicateFunc:           helper.WorkWithinPushClusterPredicate(p.Manager),
		ClusterDynamicClientSetFunc: util.NewClusterDynamicClientSet,
		ClusterClientOption:         p.members,
		ClusterCacheSyncTimeout:     metav1.Duration{Duration: cacheSyncTimeout},
		ConcurrentWorkStatusSyncs:   workers,
		RateLimiterOptions:          p.limits,
		ResourceInterpreter:         p.interpreter,
	}
	work.RunWorkQueue()
	if err := work.SetupWithManager(p.Manager); err != nil {
		return err
	}
	err = (&status.RBStatusController{
		Client:              p.GetClient(),
		DynamicClient:       p.objects,
		InformerManager:     p.informers,
		ResourceInterpreter: p.interpreter,
		EventRecorder:       p.GetEventRecorderFor(status.RBStatusControllerName),
		RESTMapper:          p.GetRESTMapper(),
		RateLimiterOptions:  p.limits,
	}).SetupWithManager(p.Manager)
	if err != nil {
		return err
	}
	return (&status.CRBStatusController{
		Client:              p.GetClient(),
		DynamicClient:       p.objects,
		InformerManager:     p.informers,
		ResourceInterpreter: p.interpreter,
		EventRecorder:       p.GetEventRecorderFor(status.CRBStatusControllerName),
		RESTMapper:          p.GetRESTMapper(),
		RateLimiterOptions:  p.limits,
	}).SetupWithManager(p.Manager)
}
