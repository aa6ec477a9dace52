// informer runs client-go's own informers, and says over HTTP what they know and when they knew it.
//
// Each has connections of its own, which note when something was read from them last and can be
// cut. An event's way is timed where client-go lets others look: when a connection was read, when
// the object reached the queue (the transform function is called just before that), and when the
// handler was called, which is after the store was written.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const oftenEnough = 200 * time.Microsecond

// connections of one informer.
type connections struct {
	lock sync.Mutex
	open map[net.Conn]bool
	read atomic.Int64 // when anything was read last, in ns
}

type noting struct {
	net.Conn
	of *connections
}

func (c noting) Read(into []byte) (int, error) {
	count, err := c.Conn.Read(into)
	if count > 0 {
		c.of.read.Store(now())
	}
	return count, err
}

func (c noting) Close() error {
	c.of.lock.Lock()
	delete(c.of.open, c.Conn)
	c.of.lock.Unlock()
	return c.Conn.Close()
}

func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	opened, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.lock.Lock()
	c.open[opened] = true
	c.lock.Unlock()
	return noting{opened, c}, nil
}

// cut breaks all connections, the server gets an RST: how many there were, and when.
func (c *connections) cut() (int, int64) {
	c.lock.Lock()
	defer c.lock.Unlock()
	at := now()
	for opened := range c.open {
		if tcp, is := opened.(*net.TCPConn); is {
			tcp.SetLinger(0)
		}
		opened.Close()
	}
	return len(c.open), at
}

// event is one that a handler was told of; times in ns.
type event struct {
	Version  string `json:"version"`
	Name     string `json:"name"`
	Read     int64  `json:"read"`
	Queued   int64  `json:"queued"`
	Handled  int64  `json:"handled"`
	Deletion bool   `json:"deletion"`
}

type follower struct {
	connections *connections
	informer    cache.SharedIndexInformer
	sync        int64
	lock        sync.Mutex
	read        map[string]int64 // by version, at the time it was queued
	queued      map[string]int64
	events      []event
	latest      uint64 // the version of the newest object that the handler was told of
}

var started = time.Now()

func now() int64 { return int64(time.Since(started)) }

func (f *follower) transform(strip bool) cache.TransformFunc {
	return func(about any) (any, error) {
		accessor, err := meta.Accessor(about)
		if err != nil {
			return nil, err
		}
		if f.informer.HasSynced() {
			f.lock.Lock()
			f.read[accessor.GetResourceVersion()] = f.connections.read.Load()
			f.queued[accessor.GetResourceVersion()] = now()
			f.lock.Unlock()
		}
		if strip {
			accessor.SetManagedFields(nil)
		}
		return about, nil
	}
}

func (f *follower) told(about any, initial, deletion bool) {
	handled := now()
	if gone, is := about.(cache.DeletedFinalStateUnknown); is {
		about = gone.Obj
	}
	accessor, err := meta.Accessor(about)
	if err != nil {
		log.Fatal(err)
	}
	version := accessor.GetResourceVersion()
	number, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	f.latest = max(f.latest, number)
	if initial {
		return
	}
	f.events = append(f.events, event{
		version, accessor.GetName(), f.read[version], f.queued[version], handled, deletion,
	})
	delete(f.read, version)
	delete(f.queued, version)
}

func byLabel(about any) ([]string, error) {
	accessor, err := meta.Accessor(about)
	if err != nil {
		return nil, err
	}
	return []string{accessor.GetLabels()["part"]}, nil
}

// newFollower makes an informer of a resource in a form: whole, metadata or stripped.
func newFollower(config *rest.Config, resource schema.GroupVersionResource, namespace, form string) (*follower, error) {
	own := rest.CopyConfig(config)
	f := &follower{
		connections: &connections{open: map[net.Conn]bool{}},
		read:        map[string]int64{},
		queued:      map[string]int64{},
	}
	own.Dial = f.connections.dial
	indexers := cache.Indexers{"part": byLabel}
	var err error
	switch {
	case form == "metadata":
		var client metadata.Interface
		if client, err = metadata.NewForConfig(own); err == nil {
			f.informer = metadatainformer.NewFilteredMetadataInformer(client, resource, namespace, 0, indexers, nil).Informer()
		}
	case resource.Group == "":
		var client *typedcore.CoreV1Client
		if client, err = typedcore.NewForConfig(own); err == nil {
			source := cache.NewListWatchFromClient(client.RESTClient(), resource.Resource, namespace, fields.Everything())
			f.informer = cache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, indexers)
		}
	default:
		var client dynamic.Interface
		if client, err = dynamic.NewForConfig(own); err == nil {
			f.informer = dynamicinformer.NewFilteredDynamicInformer(client, resource, namespace, 0, indexers, nil).Informer()
		}
	}
	if err != nil {
		return nil, err
	}
	if err = f.informer.SetTransform(f.transform(form == "stripped")); err != nil {
		return nil, err
	}
	_, err = f.informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(about any, initial bool) { f.told(about, initial, false) },
		UpdateFunc: func(_, about any) { f.told(about, false, false) },
		DeleteFunc: func(about any) { f.told(about, false, true) },
	})
	return f, err
}

func (f *follower) run() {
	began := now()
	go f.informer.Run(nil)
	for !f.informer.HasSynced() {
		time.Sleep(oftenEnough)
	}
	f.sync = now() - began
}

// content is the version of each object in the store, and what we wrote into it.
func (f *follower) content() map[string][2]string {
	content := map[string][2]string{}
	for _, about := range f.informer.GetStore().List() {
		switch one := about.(type) {
		case *corev1.ConfigMap:
			content[one.Name] = [2]string{one.ResourceVersion, one.Data["sequence"]}
		case *unstructured.Unstructured:
			sequence, _, _ := unstructured.NestedString(one.Object, "data", "sequence")
			content[one.GetName()] = [2]string{one.GetResourceVersion(), sequence}
		case *metav1.PartialObjectMetadata:
			content[one.Name] = [2]string{one.ResourceVersion, ""}
		}
	}
	return content
}

// heap is what is alive after two collections: what the first makes free, the second takes.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

type served struct {
	config    *rest.Config
	resource  schema.GroupVersionResource
	namespace string
	followers []*follower
}

func (s *served) start(asked *http.Request) (any, error) {
	count, err := strconv.Atoi(asked.FormValue("count"))
	if err != nil {
		return nil, err
	}
	before := heap()
	for range count {
		f, err := newFollower(s.config, s.resource, s.namespace, asked.FormValue("form"))
		if err != nil {
			return nil, err
		}
		s.followers = append(s.followers, f)
	}
	var all sync.WaitGroup
	for _, f := range s.followers {
		all.Add(1)
		go func() { defer all.Done(); f.run() }()
	}
	all.Wait()
	var took []int64
	objects := 0
	for _, f := range s.followers {
		took = append(took, f.sync)
		objects += len(f.informer.GetStore().ListKeys())
	}
	return map[string]any{"sync": took, "objects": objects, "before": before, "after": heap()}, nil
}

func (s *served) at(asked *http.Request) (*follower, error) {
	number, err := strconv.Atoi(asked.FormValue("number"))
	if err != nil || number < 0 || number >= len(s.followers) {
		return nil, fmt.Errorf("there is no informer %q", asked.FormValue("number"))
	}
	return s.followers[number], nil
}

func (s *served) store(asked *http.Request) (any, error) {
	f, err := s.at(asked)
	if err != nil {
		return nil, err
	}
	return f.content(), nil
}

func (s *served) version(asked *http.Request) (any, error) {
	var versions []uint64
	for _, f := range s.followers {
		f.lock.Lock()
		versions = append(versions, f.latest)
		f.lock.Unlock()
	}
	return versions, nil
}

func (s *served) events(asked *http.Request) (any, error) {
	f, err := s.at(asked)
	if err != nil {
		return nil, err
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	events := f.events
	f.events = nil
	return events, nil
}

func (s *served) cut(asked *http.Request) (any, error) {
	f, err := s.at(asked)
	if err != nil {
		return nil, err
	}
	count, at := f.connections.cut()
	return map[string]any{"connections": count, "at": at}, nil
}

func answer(what func(*http.Request) (any, error)) http.HandlerFunc {
	return func(to http.ResponseWriter, asked *http.Request) {
		said, err := what(asked)
		if err != nil {
			http.Error(to, err.Error(), http.StatusBadRequest)
			return
		}
		json.NewEncoder(to).Encode(said)
	}
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the API server, and who asks it")
	group := flag.String("group", "", "of the resource")
	resource := flag.String("resource", "configmaps", "in the plural")
	namespace := flag.String("namespace", "default", "whose objects are followed")
	listen := flag.String("listen", "127.0.0.1:7070", "where to answer")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.QPS = -1 // no limit of the client's own
	s := &served{
		config:    config,
		resource:  schema.GroupVersionResource{Group: *group, Version: "v1", Resource: *resource},
		namespace: *namespace,
	}
	for path, what := range map[string]func(*http.Request) (any, error){
		"/start": s.start, "/store": s.store, "/version": s.version, "/events": s.events, "/cut": s.cut,
	} {
		http.HandleFunc(path, answer(what))
	}
	http.HandleFunc("/healthz", func(to http.ResponseWriter, _ *http.Request) { fmt.Fprintln(to, "ok") })
	log.SetOutput(os.Stderr)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
