package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// mainGo is the one file of a cell's program.
const mainGo = "main.go"

// cell is the program of a cell as gonb writes it: a module in a folder of its own, in a workspace with the checkout.
type cell struct {
	dir, root          string // folders of the cell and of the checkout
	module, rootModule string
	source             []byte
	imports            []string // sorted
	modules            []byte   // the files that select versions, with the cell's module named $MODULE
}

// moduleName stands for the name of the cell's module in what kernels share.
const moduleName = "$MODULE"

// errUnusual is the error of a cell whose build may depend on more than [cell.key] covers.
var errUnusual = errors.New("an unusual cell")

// readCell reads the cell in dir, beside the checkout at root.
func readCell(dir, root string) (*cell, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if buildInput(e) && e.Name() != mainGo {
			return nil, errUnusual
		}
	}
	c := &cell{dir: dir, root: root}
	if err := c.readSource(); err != nil {
		return nil, err
	}
	return c, c.readModules()
}

// buildInput reports whether an entry of a cell's folder could be an input of its build: only a few kinds of file are known not to be.
func buildInput(e fs.DirEntry) bool {
	if e.IsDir() {
		return e.Name() == "vendor"
	}
	switch filepath.Ext(e.Name()) {
	case "", ".mod", ".sum", ".work", ".log", ".txt", ".json", ".png", ".npz", ".csv":
		return false
	}
	return !strings.HasPrefix(e.Name(), ".") && e.Type().IsRegular()
}

func (c *cell) readSource() (err error) {
	if c.source, err = os.ReadFile(filepath.Join(c.dir, mainGo)); err != nil {
		return err
	}
	if bytes.Contains(c.source, []byte("//go:")) {
		return errUnusual
	}
	if c.imports, err = importsOf(c.source); err != nil {
		return err
	}
	for _, path := range c.imports {
		if path == "C" || path == "embed" || strings.HasPrefix(path, ".") {
			return errUnusual
		}
	}
	slices.Sort(c.imports)
	c.imports = slices.Compact(c.imports)
	return nil
}

// importsOf returns the imports of a file, in order.
func importsOf(source []byte) (paths []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// readModules accepts a workspace of the cell and the checkout, and no other folder.
func (c *cell) readModules() (err error) {
	read := func(dir, name string) []byte { // a file that is missing is empty
		data, _ := os.ReadFile(filepath.Join(dir, name))
		return data
	}
	work, err := modfile.ParseWork("go.work", read(c.dir, "go.work"), nil)
	if err != nil {
		return err
	}
	for _, use := range work.Use {
		if p := filepath.Clean(use.Path); p != "." && p != c.dir && p != c.root {
			return errUnusual
		}
	}
	if c.module, err = c.moduleOf(read(c.dir, "go.mod")); err != nil {
		return err
	}
	if c.rootModule, err = c.moduleOf(read(c.root, "go.mod")); err != nil {
		return err
	}
	imported := slices.ContainsFunc(c.imports, func(path string) bool { return within(path, c.module) })
	if len(work.Use) != 2 || len(work.Replace) > 0 || imported || !strings.HasPrefix(c.module, "gonb_") { // a name found nowhere else
		return errUnusual
	}
	for _, name := range []string{"go.mod", "go.sum", "go.work", "go.work.sum"} {
		c.modules = fmt.Appendf(c.modules, "%q %q\n", read(c.dir, name), read(c.root, name))
	}
	c.modules = bytes.ReplaceAll(bytes.ReplaceAll(c.modules, []byte(c.module), []byte(moduleName)), []byte(c.dir), []byte("."))
	return nil
}

// moduleOf returns the name that a go.mod gives its module, which may put no folder in another's place but the checkout.
func (c *cell) moduleOf(goMod []byte) (string, error) {
	mod, err := modfile.Parse("go.mod", goMod, nil)
	if err != nil {
		return "", err
	}
	for _, r := range mod.Replace {
		if r.New.Version == "" && r.New.Path != c.root {
			return "", errUnusual
		}
	}
	if mod.Module == nil {
		return "", errUnusual
	}
	return mod.Module.Mod.Path, nil
}

func within(path, module string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// key names everything that a build of the cell depends on but its text: the toolchain, the settings of the go command, the versions of
// modules, the imports, and the bytes of every package of the checkout that they lead to. Modules in Go's cache do not change.
func (c *cell) key(goTool string) (string, error) {
	sum := sha256.New()
	version, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(goTool)), "VERSION"))
	if err != nil {
		return "", err
	}
	fmt.Fprintf(sum, "1 %q %q %q %q\n", goTool, version, c.root, c.modules)
	for _, setting := range goSettings() {
		fmt.Fprintf(sum, "%q\n", setting)
	}
	fmt.Fprintf(sum, "%q\n", c.imports)
	if err := c.hashPackages(sum); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// goSettings are the variables, set here or by `go env -w`, that the go command and a C compiler may heed.
func goSettings() []string {
	var settings []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "GONB_") || strings.HasPrefix(name, "GOMLX_") {
			continue // the kernel's, other in each
		}
		if strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_") || strings.HasPrefix(name, "PKG_CONFIG") ||
			slices.Contains([]string{"CC", "CXX", "AR", "FC"}, name) {
			settings = append(settings, v)
		}
	}
	slices.Sort(settings)
	kept := os.Getenv("GOENV")
	if kept == "" {
		if dir, err := os.UserConfigDir(); err == nil {
			kept = filepath.Join(dir, "go", "env")
		}
	}
	data, _ := os.ReadFile(kept) // without one there are no such settings
	return append(settings, string(data))
}

// hashPackages adds the checkout's packages that the imports lead to, each with all files of its folder.
func (c *cell) hashPackages(sum hash.Hash) error {
	seen := map[string]bool{}
	queue := slices.Clone(c.imports)
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] || !within(path, c.rootModule) {
			continue
		}
		seen[path] = true
		fmt.Fprintf(sum, "package %q\n", path)
		imports, err := hashPackage(sum, filepath.Join(c.root, filepath.FromSlash(strings.TrimPrefix(path, c.rootModule))))
		if err != nil {
			return err
		}
		queue = append(queue, imports...)
	}
	return nil
}

// hashPackage adds the files of a package's folder, with the folders below it if it embeds files, and returns what it imports under any
// build constraint, in order.
func hashPackage(sum hash.Hash, dir string) (imports []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	embeds := false
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		data := hashFile(sum, dir, e)
		if filepath.Ext(e.Name()) != ".go" {
			continue
		}
		embeds = embeds || bytes.Contains(data, []byte("//go:embed"))
		paths, err := importsOf(data)
		if err != nil {
			return nil, err
		}
		imports = append(imports, paths...)
	}
	if !embeds {
		return imports, nil
	}
	return imports, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			hashFile(sum, filepath.Dir(path), e)
		}
		return err
	})
}

// hashFile adds a file's name and bytes. One that cannot be read, as a lock of an editor, is no input of a build.
func hashFile(sum hash.Hash, dir string, e fs.DirEntry) []byte {
	if !e.Type().IsRegular() && e.Type() != fs.ModeSymlink {
		return nil
	}
	path := filepath.Join(dir, e.Name())
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	fmt.Fprintf(sum, "%q %d\n", path, len(data))
	sum.Write(data)
	return data
}

// builtMark is the file beside a cell's program that says what the program was built from.
const builtMark = ".built"

// isBuilt reports whether program is the one that markBuilt has seen, and the cell still the same: a cell run again.
func (c *cell) isBuilt(key, program string) bool {
	mark, err := os.ReadFile(filepath.Join(c.dir, builtMark))
	return err == nil && string(mark) == c.mark(key, program)
}

func (c *cell) markBuilt(key, program string) {
	_ = os.WriteFile(filepath.Join(c.dir, builtMark), []byte(c.mark(key, program)), 0o644) // without it the cell is built again
}

func (c *cell) mark(key, program string) string {
	info, err := os.Stat(program)
	if err != nil {
		return "no program"
	}
	return fmt.Sprintf("%s %x %s %d %d", key, sha256.Sum256(c.source), program, info.Size(), info.ModTime().UnixNano())
}
