package compiler

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// store is the folder of compiled programs: a file each, named after its key, and two files whose sizes count.
//
// Processes share it without locks: a file appears complete, by a rename, and is never changed; whoever finds one that isn't
// whole deletes it. What is lost in a race is compiled again.
type store struct {
	dir   string
	limit int64 // bytes of all programs together
	warn  io.Writer
}

// The counting files: a byte is appended for each event, which no two processes can do at the same place.
const (
	hits   = "hits"
	misses = "misses"
)

const (
	magic   = "sSWE compiled program 1\n" // another layout gets another number
	sumAt   = len(magic) + sha256.Size    // behind the key
	sizeAt  = sumAt + sha256.Size
	bytesAt = sizeAt + 8

	partPrefix = "part-"
	partStale  = time.Hour // a process that writes for so long is dead
)

// openStore makes the folder, for this user alone, or checks that it is.
func openStore(dir string, limit int64, warn io.Writer) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w; set SSWE_CACHE to a folder of your own", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ours(info) {
		return nil, fmt.Errorf("others can write %s (%v), and what lies there is run; delete it, or set SSWE_CACHE to a folder of your own", dir, info.Mode())
	}
	return &store{dir: dir, limit: limit, warn: warn}, nil
}

func (s *store) path(k key) string { return filepath.Join(s.dir, hex.EncodeToString(k[:])) }

// get returns the program of that key. A file that is not exactly what put wrote is deleted.
func (s *store) get(k key) (program []byte, found bool) {
	path := s.path(k)
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	program, ok := decode(k, file)
	if !ok {
		_ = os.Remove(path)
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // what was used last goes last; in vain in a folder that can only be read
	return program, true
}

func decode(k key, file []byte) (program []byte, ok bool) {
	if len(file) < bytesAt || string(file[:len(magic)]) != magic || key(file[len(magic):sumAt]) != k ||
		binary.LittleEndian.Uint64(file[sizeAt:bytesAt]) != uint64(len(file)-bytesAt) {
		return nil, false
	}
	program = file[bytesAt:]
	sum := sha256.Sum256(program)
	return program, bytes.Equal(sum[:], file[sumAt:sizeAt])
}

// put stores a program and deletes the ones longest unused beyond the limit.
func (s *store) put(k key, program []byte) error {
	if int64(bytesAt+len(program)) > s.limit {
		return nil
	}
	part, err := os.CreateTemp(s.dir, partPrefix+"*") // mode 0600
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program)
	head := slices.Concat([]byte(magic), k[:], sum[:], binary.LittleEndian.AppendUint64(nil, uint64(len(program))))
	_, err = part.Write(head)
	if err == nil {
		_, err = part.Write(program)
	}
	if closeErr := part.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(part.Name(), s.path(k)) // not synced: a torn file after a power cut has the wrong checksum
	}
	if err != nil {
		_ = os.Remove(part.Name())
		return err
	}
	return s.evict()
}

// entry is a stored program's file.
type entry struct {
	path string
	size int64
	used time.Time
}

// list returns the stored programs, and the unfinished files that dead processes left.
func (s *store) list() (programs, stale []entry, err error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // deleted by another process just now, or none of ours
		}
		e := entry{filepath.Join(s.dir, f.Name()), info.Size(), info.ModTime()}
		if b, err := hex.DecodeString(f.Name()); err == nil && len(b) == sha256.Size {
			programs = append(programs, e)
		} else if strings.HasPrefix(f.Name(), partPrefix) && time.Since(e.used) > partStale {
			stale = append(stale, e)
		}
	}
	return programs, stale, nil
}

func (s *store) evict() error {
	programs, stale, err := s.list()
	if err != nil {
		return err
	}
	for _, e := range stale {
		_ = os.Remove(e.path)
	}
	slices.SortFunc(programs, func(a, b entry) int { return cmp.Or(b.used.Compare(a.used), strings.Compare(a.path, b.path)) })
	var total int64
	for _, e := range programs {
		if total += e.size; total > s.limit {
			_ = os.Remove(e.path)
		}
	}
	return nil
}

// count notes a hit or a miss, as well as the folder allows.
func (s *store) count(event string) {
	f, err := os.OpenFile(filepath.Join(s.dir, event), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.Write([]byte{'.'})
	_ = f.Close()
}

func (s *store) stats() (Stats, error) {
	stats := Stats{Dir: s.dir, LimitBytes: s.limit}
	programs, _, err := s.list()
	for _, e := range programs {
		stats.Programs++
		stats.Bytes += e.size
	}
	for name, n := range map[string]*int64{hits: &stats.Hits, misses: &stats.Misses} {
		if info, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			*n = info.Size()
		}
	}
	return stats, err
}

// clear deletes what the store itself has written, and nothing else.
func (s *store) clear() error {
	programs, stale, err := s.list()
	errs := []error{err}
	for _, e := range append(slices.Concat(programs, stale), entry{path: filepath.Join(s.dir, hits)}, entry{path: filepath.Join(s.dir, misses)}) {
		if err := os.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// keep stores a program; the first failure is told, and work goes on.
func (c *cache) keep(k key, program []byte) {
	if err := c.store.put(k, program); err != nil {
		fmt.Fprintf(c.store.warn, "compilation cache: %v; programs that are not stored are compiled anew in each process\n", err)
	}
}
