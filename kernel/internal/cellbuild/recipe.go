package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"elastography/kernel/internal/cachedir"
)

// recipe is how go build made a cell: what it gave to the compiler and the linker, and how it called them. $WORK stands for the folder
// for intermediate files and $MODULE for the cell's module, so that every kernel can follow it.
type recipe struct {
	ImportConfig string `json:"importcfg"`      // the archives that the compiler reads
	LinkConfig   string `json:"importcfg_link"` // those that the linker reads, and the program's build information
	Compile      string `json:"compile"`        // as lines of a shell
	Link         string `json:"link"`
}

// Where go build keeps the files of the package that it was asked for, below $WORK.
const (
	importConfig = "b001/importcfg"
	linkConfig   = "b001/importcfg.link"
	linked       = "b001/exe/a.out"
)

var (
	compileLine = regexp.MustCompile(`(?m)^.*/compile -o \$WORK/b001/_pkg_\.a .*-p main .* \./main\.go$`)
	linkLine    = regexp.MustCompile(`(?m)^.*/link -o \$WORK/b001/exe/a\.out .*$`)
	cacheLine   = regexp.MustCompile(`(?m)^cp \$WORK(\S+) (\S+) # internal$`)
	// A build ID would tell a later go build that the program is the one that the recipe was learned from.
	buildID = regexp.MustCompile(` -buildid[= ]\S+`)
)

// newRecipe reads the output of go build -x and the folder work that it left.
func newRecipe(c *cell, trace, work string) (*recipe, error) {
	compile, link := compileLine.FindAllString(trace, -1), linkLine.FindAllString(trace, -1)
	if len(compile) != 1 || len(link) != 1 { // none where the program was built already
		return nil, errUnusual
	}
	imports, err := os.ReadFile(filepath.Join(work, importConfig))
	if err != nil {
		return nil, err
	}
	archives, err := os.ReadFile(filepath.Join(work, linkConfig))
	if err != nil {
		return nil, err
	}
	var inCache []string // packages compiled in this build lie in work, and in Go's cache for good
	for _, m := range cacheLine.FindAllStringSubmatch(trace, -1) {
		if !strings.HasPrefix(m[1], "/b001/") {
			inCache = append(inCache, "="+work+m[1]+"\n", "="+m[2]+"\n")
		}
	}
	share := func(text string) string {
		text = strings.NewReplacer(inCache...).Replace(text)
		return strings.NewReplacer(work, "$WORK", c.module, moduleName).Replace(text)
	}
	r := &recipe{share(string(imports)), share(string(archives)),
		buildID.ReplaceAllString(share(compile[0]), ""), buildID.ReplaceAllString(share(link[0]), "")}
	own := "packagefile " + moduleName + "=$WORK/b001/_pkg_.a\n"
	if strings.Contains(r.ImportConfig, "$WORK") || strings.Contains(strings.Replace(r.LinkConfig, own, "", 1), "$WORK") ||
		strings.Contains(r.ImportConfig+r.LinkConfig+r.Compile+r.Link, c.dir) {
		return nil, errUnusual // a file that is about to go
	}
	return r, nil
}

// run follows the recipe for a cell. The compiler's messages go nowhere: go build puts them better.
func (r *recipe) run(c *cell, work, program string) error {
	if err := os.MkdirAll(filepath.Join(work, filepath.Dir(linked)), 0o755); err != nil {
		return err
	}
	own := strings.NewReplacer("$WORK", work, moduleName, c.module)
	for name, text := range map[string]string{importConfig: r.ImportConfig, linkConfig: r.LinkConfig} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(own.Replace(text)), 0o644); err != nil {
			return err
		}
	}
	cmd := exec.Command("sh", "-euc", r.Compile+"\n"+r.Link)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "WORK="+work)
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.Rename(filepath.Join(work, linked), program)
}

func readRecipe(name string) (*recipe, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := new(recipe)
	return r, json.Unmarshal(data, r)
}

// archivesStay is how long Go's cache keeps an archive that nothing builds with; a recipe older than that is of no use.
const archivesStay = 5 * 24 * time.Hour

// store keeps a recipe, and clears old ones away. What cannot be kept is learned again.
func (r *recipe) store(name string) {
	data, err := json.Marshal(r)
	if err != nil || cachedir.WriteFile(name, data, 0o644) != nil {
		return
	}
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(name), "*.json"))
	for _, other := range others {
		if info, err := os.Stat(other); err == nil && time.Since(info.ModTime()) > archivesStay {
			_ = os.Remove(other)
		}
	}
}
