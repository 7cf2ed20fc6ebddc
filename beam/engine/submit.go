package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism" // by name
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"elastography/beam/storage"
	"elastography/data/archive"
)

// Runner says who runs a pipeline.
type Runner struct {
	Name        string // "prism": this process, for tests; "flink": the job server at Endpoint; "pool": no Beam at all
	Endpoint    string // flink: host:port of the Beam job server
	Worker      string // flink: path of this program on the workers; "": a copy under the job's State
	Parallelism int    // flink: elements at once; 0: as the cluster is configured
}

// Progress is told now and then how many of the shards are done.
type Progress func(done, of int)

// Run does a job's rows and returns what they came to, with the largest memory
// that any worker process used. Rows that are done are not computed again; a
// job that an earlier, killed Run left with the engine is waited for, not
// started twice. When ctx ends, the workers finish the rows in hand and the job
// fails.
func Run(ctx context.Context, job Job, rows []archive.Row, shards int, runner Runner, progress Progress) (archive.Counters, int64, error) {
	fail := func(err error) (archive.Counters, int64, error) {
		return archive.Counters{}, 0, fmt.Errorf("%s: %w", job.Kind, err)
	}
	if runner.Name == "flink" {
		if err := answers(ctx, runner.Endpoint); err != nil {
			return fail(err)
		}
	}
	if storage.IsURL(job.Out) != storage.IsURL(job.State) {
		return fail(fmt.Errorf("outputs in %s and records in %s; give two URLs or two folders", job.Out, job.State))
	}
	if !storage.IsURL(job.State) { // a URL can't be held: two submitters would do rows twice, with the same result
		release, err := job.folders().Hold()
		if err != nil {
			return fail(err)
		}
		defer release()
	}
	paths, err := WriteShards(ctx, job, rows, shards)
	if err != nil {
		return fail(err)
	}
	watching, enough := context.WithCancel(ctx)
	defer enough()
	go watch(watching, paths, progress)

	switch runner.Name {
	case "pool":
		if err = forget(ctx, paths); err != nil {
			return fail(err)
		}
		for _, path := range paths {
			if _, err = DoShard(ctx, path); err != nil {
				break
			}
		}
	case "prism":
		err = onPrism(ctx, paths)
	case "flink":
		err = onFlink(ctx, job, paths, runner)
	default:
		err = fmt.Errorf("runner %q is none of prism, flink, pool", runner.Name)
	}
	if ctx.Err() != nil {
		return fail(context.Cause(ctx))
	}
	if err != nil {
		return fail(fault(err))
	}
	sum, peak, done := Total(ctx, paths)
	if done != len(paths) || sum.Rows != len(rows) {
		return fail(fmt.Errorf("the engine says it is done, yet %d of %d shards and %d of %d rows are; run the same command again", done, len(paths), sum.Rows, len(rows)))
	}
	return sum, peak, tidy(ctx, job, paths)
}

// tidy leaves records and outputs alone.
func tidy(ctx context.Context, job Job, paths []string) (err error) {
	if storage.IsURL(job.State) {
		for _, path := range paths {
			err = errors.Join(err, storage.Remove(ctx, path), storage.Remove(ctx, reportOf(path)))
		}
		return errors.Join(err, storage.Remove(ctx, storage.Join(folderOf(paths[0]), jobFile)))
	}
	workers, err := filepath.Glob(filepath.Join(job.State, "worker-*"))
	if err != nil {
		return err
	}
	for _, w := range workers {
		err = errors.Join(err, os.Remove(w))
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(job.State, "shards")), job.folders().Clear())
}

// forget removes the reports of earlier passes.
func forget(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if err := storage.Remove(ctx, reportOf(path)); err != nil {
			return err
		}
	}
	return nil
}

func watch(ctx context.Context, paths []string, progress Progress) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if done, err := storage.List(ctx, storage.Join(folderOf(paths[0]), "*"+reportExt)); err == nil {
				progress(len(done), len(paths))
			}
		}
	}
}

// onPrism runs the pipeline within this process. Prism listens on every
// interface and asks nobody who they are: the caller sees to it that there is
// none but the loopback (package loopback).
func onPrism(ctx context.Context, paths []string) error {
	if err := forget(ctx, paths); err != nil {
		return err
	}
	_, err := beam.Run(ctx, "prism", pipeline(paths))
	return err
}

func onFlink(ctx context.Context, job Job, paths []string, runner Runner) error {
	conn, err := grpc.NewClient(runner.Endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("job server %s: %w", runner.Endpoint, err)
	}
	defer conn.Close()
	server := jobpb.NewJobServiceClient(conn)
	name := "sswe" + job.Kind + filepath.Base(folderOf(paths[0])) // Beam's Java replaces anything but letters and digits
	defer func() {
		if ctx.Err() != nil {
			stop(context.WithoutCancel(ctx), paths)
		}
	}()
	waited, err := outlast(ctx, server, name)
	if err != nil {
		return fmt.Errorf("job server %s: %w", runner.Endpoint, err)
	}
	if _, _, done := Total(ctx, paths); waited && done == len(paths) {
		return nil
	}
	if err := forget(ctx, paths); err != nil {
		return err
	}
	if runner.Worker == "" && storage.IsURL(job.State) {
		return errors.New("workers can't run this program from object storage; name its path on them with --worker FILE")
	}
	if runner.Worker == "" {
		if runner.Worker, err = placeWorker(job.State); err != nil {
			return err
		}
	}
	staged, err := nothing()
	if err != nil {
		return err
	}
	defer os.Remove(staged)
	environment, err := json.Marshal(map[string]string{"command": runner.Worker})
	if err != nil {
		return err
	}
	// Beam takes its options from flags of its own.
	*jobopts.Endpoint, *jobopts.JobName = runner.Endpoint, name
	*jobopts.EnvironmentType, *jobopts.EnvironmentConfig = "PROCESS", string(environment)
	*jobopts.WorkerBinary = staged // would be the worker's program, which is there already: anything small
	if runner.Parallelism > 0 {
		*jobopts.Parallelism = runner.Parallelism
	}
	_, err = beam.Run(ctx, "universal", pipeline(paths))
	return err
}

// nothing is an empty file.
func nothing() (path string, err error) {
	f, err := os.CreateTemp("", "sswe-beam-")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// answers looks whether a job server is there before Beam waits minutes for it.
func answers(ctx context.Context, endpoint string) error {
	const patience = 5 * time.Second
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "tcp", endpoint)
	if err != nil {
		return fmt.Errorf("no Beam job server answers at %q: %w; start one for trials with `go run . cluster start`, or name your cluster's with --endpoint HOST:PORT", endpoint, err)
	}
	return conn.Close()
}

// find returns the identifier of the unfinished job of that name, or "". Servers
// add user and date to a name.
func find(ctx context.Context, server jobpb.JobServiceClient, name string) (string, error) {
	jobs, err := server.GetJobs(ctx, &jobpb.GetJobsRequest{})
	if err != nil {
		return "", err
	}
	for _, j := range jobs.GetJobInfo() {
		switch j.GetState() {
		case jobpb.JobState_STARTING, jobpb.JobState_RUNNING:
			if strings.HasPrefix(j.GetJobName(), name) {
				return j.GetJobId(), nil
			}
		}
	}
	return "", nil
}

// outlast waits for the end of a job of that name that a killed submitter left;
// false when there is none.
func outlast(ctx context.Context, server jobpb.JobServiceClient, name string) (waited bool, err error) {
	for {
		id, err := find(ctx, server, name)
		if id == "" || err != nil {
			return waited, err
		}
		waited = true
		select {
		case <-ctx.Done():
			return waited, context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// stop tells the workers to start no further row. Beam's job server can't: what
// it cancels goes on in Flink.
func stop(ctx context.Context, paths []string) {
	_ = storage.Write(ctx, stopOf(paths[0]), nil) // a job that goes on does no harm: the next Run waits for it
}

// Marks around a fault's own words, which engines wrap into stack traces.
const faultBegins, faultEnds = "[fault: ", " :fault]"

// fault is the last worker's own error within what the engine made of it.
func fault(err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, faultBegins); i >= 0 {
		if said, _, ok := strings.Cut(text[i+len(faultBegins):], faultEnds); ok {
			return errors.New(said)
		}
	}
	return err
}
