// Package compiler stands between GoMLX and XLA's compiler: it puts native operations into programs (package nativeops), and
// keeps what XLA compiles from one process to the next. One line, before the first backend is created, does both:
//
//	compiler.Enable(os.Stderr)
//
// XLA takes seconds to compile a network, GoMLX compiles in every process, and every notebook cell is a process. With the cache
// all of them reuse what any of them compiled, with the same bits as results.
//
// A PJRT plugin is a table of functions. Enable opens the plugin that package pjrt selects, gives go-xla a copy of its table
// with PJRT_Client_Compile replaced, and leaves everything else to the plugin. GOMLX_BACKEND and what a backend says about
// itself stay as they are, and nothing is compiled in C at run time: cgo, which go-xla needs anyway, builds the replacement
// into the program.
//
// The cache never makes work fail. Whatever is wrong with it, programs are compiled as without it, and one line says why.
//
// Stored programs are machine code that is run as it is read: the folder is the user's own, closed to others, and one that
// others can write is refused. The checksums find accidents, not forgery.
package compiler

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dustin/go-humanize"

	"elastography/kernel/pjrt"
)

// EnvCache sets the size that the stored programs may take, such as "500 MB", or turns the cache off by "off".
// Off is also the way to have XLA dump what it compiles: a stored program is not compiled again.
const EnvCache = "SSWE_COMPILE_CACHE"

// defaultLimitBytes holds some hundred programs of the paper's network.
const defaultLimitBytes = 1 << 30

// hook is what compiling on a wrapped plugin goes through.
type hook struct {
	plugin string // path of the wrapped plugin
	cache  *cache // nil: off
	native bool   // the plugin takes native operations
}

// cache finds what was compiled before.
type cache struct {
	identity string // of the plugin's content
	machine  string // what machine code depends on
	flags    func() string
	store    *store
}

// Enable makes backends that are created from now on, on the plugin that GOMLX_BACKEND or package pjrt's cache selects, take
// native operations, and look their programs up before they compile. Further calls change nothing. Where there is nothing to
// do it for (no plugin yet, the pure Go backend, a GPU), it does nothing; where it is not possible, it says so on warn, in a
// line.
func Enable(warn io.Writer) {
	if err := enable(warn); err != nil {
		fmt.Fprintf(warn, "compiler: %v; programs are XLA's own and compiled anew in each process\n", err)
	}
}

func enable(warn io.Writer) error {
	plugin, found, err := pjrt.Find()
	if err != nil || !found || plugin.Path == "" {
		return nil // whoever starts the backend says what is wrong
	}
	if upper := strings.ToUpper(plugin.Path); strings.Contains(upper, "CUDA") || strings.Contains(upper, "NVIDIA") || strings.Contains(upper, "ROCM") {
		return nil // native operations are the processor's; a program for a GPU depends on its model and driver, which the key does not hold
	}
	c, err := openCache(plugin, &onceWriter{w: warn})
	if err != nil {
		fmt.Fprintf(warn, "compilation cache: %v; programs are compiled anew in each process\n", err)
	}
	if err := wrap(&hook{plugin: plugin.Path, cache: c}); err != nil {
		return fmt.Errorf("%s: %w", plugin.Path, err)
	}
	return nil
}

// openCache is nil without an error where the cache is off.
func openCache(plugin pjrt.Plugin, warn io.Writer) (*cache, error) {
	where, err := settings()
	if err != nil || where.off {
		return nil, err
	}
	identity, err := identify(plugin)
	if err != nil {
		return nil, err
	}
	s, err := openStore(where.dir, where.limit, warn)
	if err != nil {
		return nil, err
	}
	return &cache{identity: identity, machine: machine(), flags: sync.OnceValue(flags), store: s}, nil
}

// identify names a plugin's content: by its SHA-256 if it is pinned, else by what changes when the file is replaced.
func identify(p pjrt.Plugin) (string, error) {
	if p.SHA256 != "" {
		return p.SHA256, nil
	}
	info, err := os.Stat(p.Path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d bytes of %s", p.Path, info.Size(), info.ModTime().UTC()), nil
}

// place is where programs are kept, and how much of them.
type place struct {
	dir   string
	limit int64 // bytes
	off   bool
}

func settings() (place, error) {
	root, err := pjrt.CacheDir()
	if err != nil {
		return place{}, err
	}
	p := place{dir: filepath.Join(root, "compiled"), limit: defaultLimitBytes}
	switch v := os.Getenv(EnvCache); strings.ToLower(v) {
	case "":
	case "off", "0", "no", "false":
		p.off = true
	default:
		n, err := humanize.ParseBytes(v)
		if err != nil || n > 1<<62 {
			return p, fmt.Errorf("%s=%q is neither a size such as \"1 GB\" nor \"off\"", EnvCache, v)
		}
		p.limit = int64(n)
	}
	return p, nil
}

// Stats says what the cache holds.
type Stats struct {
	Dir        string
	Off        bool
	Programs   int
	Bytes      int64
	LimitBytes int64
	Hits       int64 // programs that were found, since the cache was last cleared
	Misses     int64 // programs that had to be compiled
}

// String is one line for people.
func (s Stats) String() string {
	if s.Off {
		return fmt.Sprintf("off (%s=%s)", EnvCache, os.Getenv(EnvCache))
	}
	return fmt.Sprintf("%d compiled programs, %s of %s in %s; found %d times, compiled %d times", s.Programs, humanize.IBytes(uint64(s.Bytes)),
		humanize.IBytes(uint64(s.LimitBytes)), s.Dir, s.Hits, s.Misses)
}

// Inspect looks at the cache without changing it.
func Inspect() (Stats, error) {
	p, err := settings()
	if err != nil {
		return Stats{}, err
	}
	s := &store{dir: p.dir, limit: p.limit}
	stats, err := s.stats()
	stats.Off = p.off
	return stats, err
}

// Clear deletes the stored programs and the counts, and returns what there was. Processes that are running go on undisturbed.
func Clear() (Stats, error) {
	p, err := settings()
	if err != nil {
		return Stats{}, err
	}
	s := &store{dir: p.dir, limit: p.limit}
	before, err := s.stats()
	if err != nil {
		return before, err
	}
	return before, s.clear()
}

// onceWriter passes the first message on: a full disk is worth one line, not one a program.
type onceWriter struct {
	w    io.Writer
	once sync.Once
}

func (o *onceWriter) Write(b []byte) (n int, err error) {
	o.once.Do(func() { n, err = o.w.Write(b) })
	return len(b), err
}
