package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"elastography/beam/storage"
	"elastography/data/archive"
	"elastography/data/dicom"
	"elastography/data/scan/intake"
	"elastography/kernel/pjrt"
	"elastography/sswe"
	"elastography/sswe/trainings"
)

// Job is what every worker must know of the work besides its rows. It travels
// as a file beside the shards and names no secret: the key of the pseudonyms is
// read from its own file.
type Job struct {
	Kind    string        `json:"kind"`           // "import", "train" or "wait"
	Out     string        `json:"out"`            // outputs, on shared storage: a path or a URL
	State   string        `json:"state"`          // records, shards; on the same file system, or a URL beside Out
	KeyFile string        `json:"key,omitempty"`  // import: of the pseudonym key
	Wait    time.Duration `json:"wait,omitempty"` // wait: what one row lasts, ns
	Workers int           `json:"workers"`        // rows in flight in one worker process; 0: one a core
}

func (j Job) folders() archive.Folders { return archive.Folders{Out: j.Out, State: j.State} }

// work is what is done to a row.
func (j Job) work() (archive.Work, error) {
	switch j.Kind {
	case "import":
		if _, err := os.Stat(j.KeyFile); err != nil { // OpenKey would make a new one
			return archive.Work{}, fmt.Errorf("pseudonym key: %w", err)
		}
		key, err := dicom.OpenKey(j.KeyFile)
		if err != nil {
			return archive.Work{}, err
		}
		return (&intake.Importer{Out: j.Out, Private: j.State, Key: key}).Work(), nil
	case "train":
		return trainings.Work(j.State, openXLA), nil
	case "wait":
		return archive.Work{Name: "wait/1", Do: j.wait}, nil
	}
	return archive.Work{}, fmt.Errorf("no work is called %q; there are import, train and wait", j.Kind)
}

// openXLA starts the worker's own backend, from the plugin that is found or fetched on its machine.
func openXLA(ctx context.Context) (compute.Backend, error) {
	if _, err := pjrt.Use(ctx); err != nil {
		return nil, err
	}
	return sswe.OpenBackend()
}

// wait stands for a work by its duration alone, so that an archive's arithmetic
// can be tried before there is an archive.
func (j Job) wait(ctx context.Context, _ archive.Row, _ *archive.Outputs) (any, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(j.Wait):
		return nil, nil
	}
}

// reachable says clearly that a worker lacks the storage of the job.
func (j Job) reachable() error {
	for _, dir := range []string{j.Out, j.State} {
		if storage.IsURL(dir) {
			continue
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			host, _ := os.Hostname()
			return errors.Join(fmt.Errorf("storage %s is not there on worker %s; mount it on every worker under the same path", filepath.Clean(dir), host), err)
		}
	}
	return nil
}
