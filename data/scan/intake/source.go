package intake

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"

	"elastography/data"
	"elastography/data/dicom"
	"elastography/data/scan"
)

// nan marks a pixel without a reading.
var nan = float32(math.NaN())

// Source is a B-mode picture to synthesize from.
type Source struct {
	Name     string // for its outputs: a pseudonym for DICOM, else from the file's name
	Plane    *data.Plane
	Identity dicom.Identity // under the key's pseudonyms
	Frame    int            // of a cine, 0-based
	Note     string         // what part of the file it is; "" for all of it
	Warning  string         // what had to be guessed; "" for nothing
}

// SourceOptions are what the caller knows better than the file.
type SourceOptions struct {
	Key     *dicom.Key
	Organ   string
	MMPerPx float64         // 0: from the file
	Crop    image.Rectangle // of the picture; empty: DICOM's tissue region, or all of it
	Frame   int             // of a cine, 0-based
}

// Sources expands files, folders and patterns as List does, each file once; a
// cohort's folder stands for its planes.
func Sources(paths []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			out = append(out, path)
		}
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join(path, "manifest.csv")); err == nil {
			c, err := data.Open(path)
			if err != nil {
				return nil, err
			}
			for _, r := range c.Rows {
				add(filepath.Join(path, r.Patient, r.Plane+".npz"))
			}
			continue
		}
		list, err := List([]string{path}, PatientRule{kind: "folder"})
		if err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			add(item.Files[0])
		}
	}
	return out, nil
}

// ReadSource reads one B-mode picture: a cohort's plane, an NPZ with bmode, a
// DICOM frame, or a PNG, JPEG or TIFF. Of a whole SWE screen it takes the plain
// view, and the measured stiffness with it. A plane without stiffness of its own has
// NaN throughout. The pixel size stays 0 where nobody knows it.
func ReadSource(path string, opt SourceOptions) (*Source, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	s := &Source{Name: fmt.Sprintf("%s-%x", strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), sum[:3]), Identity: opt.Key.Identify(sum[:])}
	switch {
	case strings.EqualFold(filepath.Ext(path), ".npz"):
		if p, err := data.PlaneAt(path); err == nil {
			s.Plane, s.Name = p, p.Patient+"_"+p.Name
			return s, nil
		} else if errors.Is(err, data.ErrDamaged) {
			return nil, err
		}
		return s, s.array(path, opt)
	case isDICOM(path):
		return s, s.dicom(path, opt)
	}
	img, err := scan.ReadPicture(path, 0)
	if err != nil {
		return nil, err
	}
	return s, s.look(img, scan.Options{MMPerPx: opt.MMPerPx}, image.Rectangle{}, opt)
}

func (s *Source) array(path string, opt SourceOptions) error {
	a, err := scan.ReadArray(path, "bmode")
	if err != nil {
		return err
	}
	planes, h, w, err := a.Planes()
	if err != nil || opt.Frame >= len(planes) {
		return errors.Join(fmt.Errorf("%s holds %d planes, not number %d", path, len(planes), opt.Frame), err)
	}
	grey, err := greyScale(planes)
	if err != nil {
		return err
	}
	mm := opt.MMPerPx
	if size, err := scan.ReadArray(path, "mm_per_px"); mm == 0 && err == nil {
		mm = float64(size.Values[0])
	}
	s.Frame = opt.Frame
	return s.picture(grey(planes[opt.Frame]), h, w, mm, opt)
}

// dicom takes a frame's largest tissue region, and its pixel size.
func (s *Source) dicom(path string, opt SourceOptions) error {
	file, err := dicom.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if opt.Frame >= file.Frames {
		return fmt.Errorf("%s has %d frames; there is no frame %d", path, file.Frames, opt.Frame)
	}
	identity, _ := file.Deidentify(opt.Key)
	frame, err := file.Frame(opt.Frame)
	if err != nil {
		return err
	}
	s.Name = identity.Patient + s.Name[strings.LastIndexByte(s.Name, '-'):] // the file's name may be a patient's
	s.Identity, s.Frame = identity, opt.Frame
	known := scan.Options{MMPerPx: opt.MMPerPx, Regions: regions(file)}
	var region image.Rectangle
	for _, r := range file.Regions {
		if r.Kind == dicom.Tissue && r.Bounds.Dx()*r.Bounds.Dy() > region.Dx()*region.Dy() {
			region = r.Bounds
			if opt.MMPerPx == 0 {
				known.MMPerPx = r.LateralMMPerPx
			}
		}
	}
	if known.MMPerPx == 0 {
		known.MMPerPx = file.LateralMMPerPx
	}
	if err := s.look(frame.Image(), known, region, opt); err != nil {
		return err
	}
	if s.Note == "" && opt.Crop.Empty() && region.Empty() && file.BurnedIn {
		s.warn("the file names no image region, so text on the screen is part of the image; give --crop")
	}
	return nil
}

// look takes the part of a picture that is B-mode: what the caller says, the
// plain view of an SWE screen, or the file's region for it.
func (s *Source) look(img image.Image, known scan.Options, region image.Rectangle, opt SourceOptions) error {
	const grey = 0.01 // share of coloured pixels up to which a picture is B-mode
	if opt.Crop.Empty() {
		part := region
		if part.Empty() {
			part = img.Bounds().Sub(img.Bounds().Min)
		}
		if share := scan.Coloured(img, part); share > grey {
			if screen, err := scan.Analyse(img, known); err == nil {
				s.Plane = screenPlane(screen, nil, s.Identity.Patient, s.Name)
				s.Plane.Organ = opt.Organ
				at := screen.Layout.PlainView.Where
				s.Note = fmt.Sprintf("the plain view of an SWE screen, at %d,%d,%d,%d, %.4f mm per px", at.Min.X, at.Min.Y, at.Max.X, at.Max.Y, screen.MMPerPx)
				return nil
			}
			s.warn(fmt.Sprintf("%.0f %% of the image is coloured, as B-mode is not: an overlay or a menu is taken for tissue; give --crop", 100*share))
		}
		opt.Crop = region
	}
	pix, h, w := scan.Gray(img)
	return s.picture(pix, h, w, known.MMPerPx, opt)
}

func (s *Source) warn(text string) {
	if s.Warning != "" {
		text = s.Warning + "; " + text
	}
	s.Warning = text
}

// picture makes the plane of the cropped picture.
func (s *Source) picture(pix []uint8, h, w int, mm float64, opt SourceOptions) error {
	crop := image.Rect(0, 0, w, h)
	if !opt.Crop.Empty() {
		if crop = opt.Crop; !crop.In(image.Rect(0, 0, w, h)) {
			return fmt.Errorf("the part %v does not lie in the picture of %d x %d pixels", crop, w, h)
		}
	}
	n := crop.Dx() * crop.Dy()
	p := &data.Plane{Patient: s.Identity.Patient, Name: s.Name, Organ: opt.Organ, Scanner: "unknown", Source: data.Imported, MMPerPx: mm,
		Height: crop.Dy(), Width: crop.Dx(), BMode: make([]uint8, 0, n), SWEKPa: make([]float32, n), Saturated: make([]bool, n), Confidence: make([]float32, n)}
	for y := crop.Min.Y; y < crop.Max.Y; y++ {
		p.BMode = append(p.BMode, pix[y*w+crop.Min.X:y*w+crop.Max.X]...)
	}
	for i := range p.SWEKPa {
		p.SWEKPa[i] = nan
	}
	s.Plane = p
	return nil
}
