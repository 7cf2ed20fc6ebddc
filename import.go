package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/data/scan"
	"elastography/plots"
)

type importCommand struct {
	Paths    []string `arg:"" name:"path" help:"Scanner screens (PNG, JPEG, TIFF)."`
	Out      string   `help:"Folder for the cohort." required:"" type:"path"`
	ScaleMax float64  `help:"Top of the colour bar in kPa; 0 reads it from the bar's digits." placeholder:"KPA"`
	MMPerPx  float64  `help:"Pixel size in mm; 0 reads it from the depth ruler." placeholder:"MM"`
	Opacity  float64  `help:"Of the overlay, 0 to 1; 0 estimates it." placeholder:"SHARE"`
	Box      string   `help:"SWE box in the overlay view, pixels." placeholder:"LEFT,TOP,RIGHT,BOTTOM"`
	Bar      string   `help:"Colour bar, pixels." placeholder:"LEFT,TOP,RIGHT,BOTTOM"`
	Organ    string   `help:"What the screens show." default:"unknown"`
	Split    string   `help:"train or test." enum:"train,test" default:"train"`
	Preview  bool     `help:"Only draw what was found on each screen; store no plane."`
}

func (c importCommand) Help() string {
	return "Example: go run . import screen.png --scale-max 70 --organ prostate --out cohorts/mine\n\n" +
		"Burned-in text outside the image never enters a plane; a screen's name there is a hash of its content."
}

func (c importCommand) Run(ctx context.Context) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if entries, err := os.ReadDir(c.Out); err == nil && len(entries) > 0 && !c.Preview {
		return fmt.Errorf("import: folder %s is not empty; choose another --out", c.Out)
	}
	var planes []*data.Plane
	var failures []error
	for _, path := range c.Paths {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p, err := c.screen(path)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		planes = append(planes, p)
	}
	if len(planes) > 0 && !c.Preview {
		split := func(string) data.Split { return data.Split(c.Split) }
		if _, err := data.Save(c.Out, planes, split, nil, importCard(planes)); err != nil {
			return err
		}
	}
	fmt.Printf("%d of %d screens accepted into %s\n", len(planes), len(c.Paths), c.Out)
	return errors.Join(failures...)
}

// screen reads one screen, says what was found on it and draws the plane.
func (c importCommand) screen(path string) (*data.Plane, error) {
	pseudonym, err := pseudonym(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	options := scan.Options{ScaleMaxKPa: c.ScaleMax, MMPerPx: c.MMPerPx, Opacity: c.Opacity}
	if options.OverlayBox, err = rectangle(c.Box); err != nil {
		return nil, fmt.Errorf("import: --box: %w", err)
	}
	if options.ColourBar, err = rectangle(c.Bar); err != nil {
		return nil, fmt.Errorf("import: --bar: %w", err)
	}
	s, err := scan.ReadScreen(path, options)
	var refused *scan.RefusedError
	if errors.As(err, &refused) && refused.Seen != nil {
		seen := filepath.Join(c.Out, pseudonym+"_refused.png")
		return nil, errors.Join(fmt.Errorf("import: %w; what was seen is drawn in %s", err, seen), writePNG(seen, refused.Seen))
	}
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	fmt.Printf("%s: %s\n%s", path, pseudonym, s.Layout.String())
	if c.Preview { // the whole screen, with whatever name is burned in: drawn only when asked for
		seen := filepath.Join(c.Out, pseudonym+"_seen.png")
		fmt.Printf("  drawn in %s (the whole screen: it may show a name)\n", seen)
		if err := writePNG(seen, s.Annotated()); err != nil {
			return nil, err
		}
	}
	p := &data.Plane{Patient: pseudonym, Name: "screen", Organ: c.Organ, Scanner: "unknown", Source: data.Imported,
		MMPerPx: s.MMPerPx, ScaleMaxKPa: s.ScaleMaxKPa, Height: s.Height, Width: s.Width,
		BMode: s.BMode, SWEKPa: s.SWEKPa, Saturated: s.Saturated, Confidence: s.Confidence}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("import %s: %w", path, err)
	}
	return p, c.picture(p)
}

// rectangle reads "left,top,right,bottom" in pixels; an empty text is an empty rectangle.
func rectangle(text string) (image.Rectangle, error) {
	var r image.Rectangle
	if text == "" {
		return r, nil
	}
	if n, err := fmt.Sscanf(text, "%d,%d,%d,%d", &r.Min.X, &r.Min.Y, &r.Max.X, &r.Max.Y); err != nil || n != 4 || r.Empty() {
		return r, fmt.Errorf("%q is not LEFT,TOP,RIGHT,BOTTOM in pixels, such as 312,149,615,258", text)
	}
	return r, nil
}

// picture draws the plane as it was understood: B-mode beside Young's modulus.
func (c importCommand) picture(p *data.Plane) error {
	f, err := plots.SideBySide([]plots.LabelledMap{
		{Title: "B-mode, as imported", Gray: &plots.Gray{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx, Pix: p.BMode}},
		{Title: "SWE, from the colours", Unit: "Young's modulus (kPa)", Max: p.ScaleMaxKPa,
			Field: &plots.Map{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx, Values: p.SWEKPa}},
	}, plots.Style{ScaleMaxKPa: p.ScaleMaxKPa})
	if err != nil {
		return fmt.Errorf("import: draw %s: %w", p.ID(), err)
	}
	files, err := f.Save(filepath.Join(c.Out, p.Patient+"_plane"))
	if err != nil {
		return err
	}
	fmt.Printf("  drawn in %s\n", files[0])
	return nil
}

// pseudonym names a screen by its content: the file's name may be a patient's.
func pseudonym(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Sprintf("scan-%x", h.Sum(nil)[:5]), nil
}

func importCard(planes []*data.Plane) string {
	var b strings.Builder
	b.WriteString("# Data card: imported screens\n\nRead from scanner screens by `go run . import`; nothing here is simulated. Values come from the picture's own colour bar.\n\n" +
		"| plane | organ | mm per px | scale maximum, kPa | pixels with stiffness |\n|---|---|---|---|---|\n")
	for _, p := range planes {
		fmt.Fprintf(&b, "| %s | %s | %.4f | %.0f | %d |\n", p.ID(), p.Organ, p.MMPerPx, p.ScaleMaxKPa, p.ValidPixels())
	}
	return b.String()
}

func writePNG(path string, img image.Image) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer f.Cleanup()
	if err := png.Encode(f, img); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
