package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"elastography/beam/storage"
	"elastography/data/archive"
)

// bench is where a worker does rows: the job's own folders or, for URLs, a
// scratch folder of this machine.
type bench struct {
	job     Job // as it is on this machine
	folders archive.Folders
	away    Job // as it is for everybody
	scratch string
}

func newBench(ctx context.Context, job Job) (*bench, error) {
	b := &bench{job: job, away: job, folders: job.folders()}
	scratch, err := os.MkdirTemp("", "sswe-beam-")
	if err != nil {
		return nil, err
	}
	b.scratch = scratch
	b.folders.Remote = storage.Rows{Out: job.Out, State: job.State}
	if storage.IsURL(job.Out) {
		b.job.Out, b.job.State = filepath.Join(scratch, "out"), filepath.Join(scratch, "state")
		b.folders.Out, b.folders.State = b.job.Out, b.job.State
	}
	if storage.IsURL(job.KeyFile) {
		b.job.KeyFile = filepath.Join(scratch, "key")
		key, err := storage.Read(ctx, job.KeyFile)
		if err == nil {
			err = os.WriteFile(b.job.KeyFile, key, 0o600)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pseudonym key: %w", err), b.Close())
		}
	}
	return b, nil
}

// Close leaves nothing of it on this machine.
func (b *bench) Close() error { return os.RemoveAll(b.scratch) }

var inputFolder = regexp.MustCompile(`[^\s"]*/inputs/[^/\s]+/\d+/`)

// toldElsewhere is the work whose refusals name files by where they belong, not
// by where this worker had them: a record depends on its row alone.
func (b *bench) toldElsewhere(work archive.Work) archive.Work {
	do := work.Do
	work.Do = func(ctx context.Context, row archive.Row, out *archive.Outputs) (any, error) {
		result, err := do(ctx, row, out)
		if refusal, ok := errors.AsType[*archive.Refusal](err); ok {
			for _, text := range []*string{&refusal.Reason, &refusal.Remedy} {
				*text = inputFolder.ReplaceAllString(*text, "")
				if b.job.State != b.away.State {
					*text = strings.ReplaceAll(*text, b.job.State+"/", b.away.State+"/")
				}
			}
		}
		return result, err
	}
	return work
}
