package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"
	"time"

	"elastography/beam/storage"
	"elastography/data/archive"
)

const (
	jobFile   = "job.json"
	rowsExt   = ".jsonl" // a row a line
	reportExt = ".done"  // what the last pass over a shard came to
	stopFile  = "stop"   // its presence ends all work on the folder's shards
)

// rowsPerShard when nobody asks otherwise: many more shards than workers, so
// that they end together, and few enough for an engine to keep in its head.
const rowsPerShard = 50

// WriteShards cuts rows into n files (0: by rowsPerShard) in a folder under the
// job's State whose name tells their content, and returns their paths. All rows
// of a patient are in one shard.
func WriteShards(ctx context.Context, job Job, rows []archive.Row, n int) (shards []string, err error) {
	if len(rows) == 0 {
		return nil, errors.New("there are no rows")
	}
	if n <= 0 {
		n = (len(rows) + rowsPerShard - 1) / rowsPerShard
	}
	content := make([]bytes.Buffer, n)
	for i, row := range rows {
		line, err := json.Marshal(row)
		if err != nil {
			return nil, fmt.Errorf("row %s: %w", row.Key, err)
		}
		b := &content[shardOf(row, i, n)]
		b.Write(line)
		b.WriteByte('\n')
	}
	h := sha256.New()
	fmt.Fprintln(h, job.Kind, job.Wait, n)
	for k := range content {
		h.Write(content[k].Bytes())
	}
	dir := storage.Join(job.State, "shards", fmt.Sprintf("%x", h.Sum(nil)[:8]))
	described, err := json.Marshal(job)
	if err != nil {
		return nil, fmt.Errorf("write the shards: %w", err)
	}
	if err := storage.Write(ctx, storage.Join(dir, jobFile), described); err != nil {
		return nil, fmt.Errorf("write the shards: %w", err)
	}
	for k := range content {
		if content[k].Len() == 0 {
			continue
		}
		path := storage.Join(dir, fmt.Sprintf("%05d%s", len(shards), rowsExt))
		if err := storage.Write(ctx, path, content[k].Bytes()); err != nil {
			return nil, fmt.Errorf("write the shards: %w", err)
		}
		shards = append(shards, path)
	}
	if err := storage.Remove(ctx, stopOf(shards[0])); err != nil {
		return nil, fmt.Errorf("write the shards: %w", err)
	}
	return shards, nil
}

// shardOf keeps a patient's rows together: whatever must see a patient whole
// finds it in one element. Rows of no patient, such as trainings, are dealt in
// turn: n of them are one an element.
func shardOf(row archive.Row, i, n int) int {
	patient := row.Args["patient"]
	if patient == "" {
		return i % n
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, patient) // a hash never fails
	return int(h.Sum64() % uint64(n))
}

// Report is what one pass over a shard came to.
type Report struct {
	archive.Counters
	Worker    string // host and process
	PeakBytes int64  // largest resident memory of the process so far
}

// DoShard does the rows of one shard file, those that are not done yet, with
// the job's number of workers, and leaves a Report beside it. It holds no more
// rows than workers.
func DoShard(ctx context.Context, path string) (Report, error) {
	var report Report
	var job Job
	described, err := storage.Read(ctx, storage.Join(folderOf(path), jobFile))
	if err == nil {
		err = json.Unmarshal(described, &job)
	}
	if err != nil {
		host, _ := os.Hostname()
		return report, fmt.Errorf("worker %s cannot read what to do: %w; mount the storage on every worker under the same path", host, err)
	}
	if err := job.reachable(); err != nil {
		return report, err
	}
	bench, err := newBench(ctx, job)
	if err != nil {
		return report, err
	}
	defer bench.Close()
	work, err := bench.job.work()
	if err != nil {
		return report, err
	}
	b, err := storage.Read(ctx, path)
	if err != nil {
		return report, err
	}
	var ended error
	var looked time.Time
	rows := func(yield func(archive.Row) bool) {
		lines := json.NewDecoder(bytes.NewReader(b))
		for {
			if time.Since(looked) > stopPeriod {
				if found, err := storage.List(ctx, stopOf(path)); err == nil && len(found) > 0 {
					ended = errors.New("stopped by its submitter")
					return
				}
				looked = time.Now()
			}
			var row archive.Row
			if err := lines.Decode(&row); err != nil {
				if !errors.Is(err, io.EOF) {
					ended = fmt.Errorf("shard %s is damaged: %w; start the job again", path, err)
				}
				return
			}
			if !yield(row) {
				return
			}
		}
	}
	report.Counters, err = archive.Each(ctx, rows, archive.Options{Folders: bench.folders, Workers: job.Workers}, bench.toldElsewhere(work))
	if err := errors.Join(err, ended); err != nil {
		return report, err
	}
	host, _ := os.Hostname()
	report.Worker, report.PeakBytes = fmt.Sprintf("%s/%d", host, os.Getpid()), peakBytes()
	told, err := json.Marshal(report)
	if err != nil {
		return report, err
	}
	return report, storage.Write(ctx, reportOf(path), told)
}

// stopPeriod is how often a worker looks for the stop file.
const stopPeriod = time.Second

// folderOf is a shard's folder, by path or URL.
func folderOf(shard string) string { return shard[:strings.LastIndexAny(shard, `/\`)] }

func stopOf(shard string) string { return storage.Join(folderOf(shard), stopFile) }

func reportOf(shard string) string { return strings.TrimSuffix(shard, rowsExt) + reportExt }

// Total adds up the reports of all shards. Each row is in one shard and each
// shard has one report, its last, so nothing is counted twice.
func Total(ctx context.Context, shards []string) (sum archive.Counters, peakBytes int64, done int) {
	for _, shard := range shards {
		var r Report
		b, err := storage.Read(ctx, reportOf(shard))
		if err != nil || json.Unmarshal(b, &r) != nil {
			continue
		}
		done++
		sum.Rows += r.Rows
		sum.Computed += r.Computed
		sum.Skipped += r.Skipped
		sum.Refused += r.Refused
		peakBytes = max(peakBytes, r.PeakBytes)
	}
	return sum, peakBytes, done
}

// peakBytes is the process's largest resident memory, as Linux counts it; 0
// elsewhere. (What getrusage counts begins with the memory of the engine that
// started the process.)
func peakBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	_, _ = fmt.Sscan(after, &kB) // 0 when it isn't there
	return kB << 10
}
