package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// gonbModule is the module of the program that runs cells.
const gonbModule = "github.com/janpfeifer/gonb"

// gonbMends are the changes to gonb's source that the kernel is built with. gonb tells which line of which cell a stack trace means
// by looking for main.go:7 in whatever a read of the cell's error stream gives. But Go's runtime writes a trace piece by piece, and
// on a busy machine every second read ended between "main.go" and ":7": the reader was not told the line. Now an unfinished line
// that names main.go, or begins to, waits for its end. And gonb gave a page 3 seconds to connect a cell's controls, and half a
// second to say that it is there: too little, it seems, for a browser on a busy machine, where a slider once did not appear.
var gonbMends = []struct{ file, old, new string }{
	{"internal/goexec/execcode.go", "	lineBuffer          bytes.Buffer\n", "	lineBuffer          bytes.Buffer\n	held                []byte // of an unfinished line\n"},
	{"internal/goexec/execcode.go", "	n := len(p) // Save original number of bytes.\n", "	n := len(p) // Save original number of bytes.\n	if p = w.hold(p); len(p) == 0 {\n		return n, nil\n	}\n"},
	{"internal/goexec/execcode.go", "	err := jpyExec.Exec()\n", "	err := jpyExec.Exec()\n	stderrWithAnnotator.(*jupyterStackTraceMapperWriter).release()\n"},
	{"internal/goexec/execcode.go", "// Write implements io.Writer, and maps", `// hold returns what of the stream can be shown by now, and keeps the rest.
func (w *jupyterStackTraceMapperWriter) hold(p []byte) []byte {
	p = append(w.held, p...)
	end := bytes.LastIndexByte(p, '\n') + 1
	if last := string(p[end:]); !strings.Contains(last, w.mainPath) {
		begun := min(len(last), len(w.mainPath)-1)
		for begun > 0 && !strings.HasSuffix(last, w.mainPath[:begun]) {
			begun--
		}
		end = len(p) - begun
	}
	w.held = bytes.Clone(p[end:])
	return p[:end]
}

// release shows what was kept when the stream ends within a line.
func (w *jupyterStackTraceMapperWriter) release() {
	if len(w.held) > 0 {
		_, _ = w.jupyterWriter.Write(w.held)
	}
}

// Write implements io.Writer, and maps`},
	{"internal/comms/comms.go", "WaitForConnectionTimeout = 3 * time.Second", "WaitForConnectionTimeout = 9 * time.Second"},
	{"internal/comms/comms.go", "HeartbeatTimeout          = 500 * time.Millisecond", "HeartbeatTimeout          = 2 * time.Second"},
}

// mendGonb copies gonb's module, mended, into dir and returns a go.mod file, for -modfile, that builds with it.
func (e *Env) mendGonb(ctx context.Context, dir string) (modFile string, err error) {
	out, err := goCommand(ctx, e.Root, e.goTool, "mod", "download", "-json", gonbModule).Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var gonb struct{ Dir, Error string }
	if err = errors.Join(err, json.Unmarshal(out, &gonb)); err != nil {
		return "", fmt.Errorf("fetch %s: %w: %s; connect once, or fill Go's module cache (go mod download)", gonbModule, err, gonb.Error)
	}
	source := filepath.Join(dir, "gonb")
	if err := copyModule(source, gonb.Dir); err != nil {
		return "", err
	}
	for _, m := range gonbMends {
		name := filepath.Join(source, m.file)
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if strings.Count(string(text), m.old) != 1 {
			return "", fmt.Errorf("%s in %s must have once %q; adapt gonbMends to this version", m.file, gonb.Dir, m.old)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o644); err != nil {
			return "", err
		}
	}
	return e.replaceModule(dir, source)
}

// copyModule copies what a build of gonb needs: its examples, which it does not, are 60 MB.
func copyModule(to, from string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (rel == "examples" || rel == "docs"):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
}

// replaceModule writes the checkout's go.mod and go.sum into dir, with gonb's module taken from source.
func (e *Env) replaceModule(dir, source string) (modFile string, err error) {
	text, err := os.ReadFile(filepath.Join(e.Root, "go.mod"))
	if err != nil {
		return "", err
	}
	sums, err := os.ReadFile(filepath.Join(e.Root, "go.sum"))
	if err != nil {
		return "", err
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return "", err
	}
	if err := mod.AddReplace(gonbModule, "", source, ""); err != nil {
		return "", err
	}
	if text, err = mod.Format(); err != nil {
		return "", err
	}
	modFile = filepath.Join(dir, "go.mod")
	if err := os.WriteFile(modFile, text, 0o644); err != nil {
		return "", err
	}
	return modFile, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644)
}
