package scan
import ("testing";"os";"image";"image/color";"image/png";"errors";"time";"math";"fmt")
func TestDev(t *testing.T){
 p:=os.Getenv("SCREEN"); if p=="" {p="testdata/aixplorer_muscle_150kPa_50pct.png"}
 t0:=time.Now()
 s,err:=ReadScreen(p,Options{})
 t.Log(time.Since(t0))
 save:=func(n string,m image.Image){f,_:=os.Create("/tmp/scan/"+n); png.Encode(f,m); f.Close()}
 if err!=nil { t.Error(err); if r,ok:=errors.AsType[*RefusedError](err);ok&&r.Seen!=nil { save("seen.png",r.Seen)}; return}
 t.Log("\n"+s.Layout.String())
 t.Log(s.Height,s.Width,s.MMPerPx,s.Opacity,s.TextureR,s.Box)
 save("seen.png",s.Annotated())
 // figure
 var bars=s.seen.findBars()
 curve:=bars[0].curve
 k:=4; b:=s.Box.Inset(-4)
 fig:=image.NewRGBA(image.Rect(0,0,b.Dx()*k+80,b.Dy()*k*4))
 ob:=s.Layout.OverlayBox.Where.Inset(-4)
 sat,n:=0,0
 var vals []float64
 for y:=range b.Dy()*k{ for x:=range b.Dx()*k{
  px,py:=b.Min.X+x/k,b.Min.Y+y/k
  i:=py*s.Width+px
  fig.Set(x,y,s.seen.im.At(ob.Min.X+x/k,ob.Min.Y+y/k))
  if v:=float64(s.SWEKPa[i]); !math.IsNaN(v){ c:=curve[int(v/s.ScaleMaxKPa*256)]; fig.Set(x,y+b.Dy()*k,color.RGBA{uint8(c[0]),uint8(c[1]),uint8(c[2]),255})
   if x%k==0&&y%k==0 {n++; vals=append(vals,v); if s.Saturated[i]{sat++}}
   if s.Saturated[i] { if (x+y)%4==0 {fig.Set(x,y+b.Dy()*k,color.White)}}
  } else {g:=s.BMode[i]/2; fig.Set(x,y+b.Dy()*k,color.RGBA{g,g,g,255})}
  g:=s.BMode[i]; fig.Set(x,y+2*b.Dy()*k,color.RGBA{g,g,g,255})
  g=uint8(s.Confidence[i]*255); fig.Set(x,y+3*b.Dy()*k,color.RGBA{g,g,g,255})
 }}
 for y:=range b.Dy()*k { c:=curve[256-y*256/(b.Dy()*k)]; for x:=range 40 {fig.Set(b.Dx()*k+20+x,y,color.RGBA{uint8(c[0]),uint8(c[1]),uint8(c[2]),255})}}
 save("fig.png",fig)
 q:=[]float64{}
 for _,p:=range []float64{.01,.05,.25,.5,.75,.95,.99}{q=append(q,math.Round(quantile(vals,p)))}
 fmt.Println("n",n,"sat",sat,"quantiles",q)
 for _,a:=range []float64{.4,.45,.5,.508,.55,.6} {
  r,err:=ReadScreen(p,Options{Opacity:a}); if err==nil {fmt.Println("opacity",a,"texture",r.TextureR,"hp",hpTex(r), r.Layout.Colours)}
 }
}
func hpTex(s *Screen) float64 { // high-pass both at 7x7 
 b:=s.Box.Inset(3)
 A:=make([]float32,len(s.SWEKPa)); G:=make([]uint8,len(A)); for i:=range A{A[i]=float32(math.NaN())}
 for y:=b.Min.Y;y<b.Max.Y;y++{for x:=b.Min.X;x<b.Max.X;x++{ var sv,sg,n float64
  for yy:=y-4;yy<=y+4;yy++{for xx:=x-4;xx<=x+4;xx++{ v:=float64(s.SWEKPa[yy*s.Width+xx]); if v==v {sv+=v;sg+=float64(s.BMode[yy*s.Width+xx]);n++}}}
  v:=float64(s.SWEKPa[y*s.Width+x]); if v==v&&n>40 { A[y*s.Width+x]=float32(v-sv/n); G[y*s.Width+x]=uint8(128+(float64(s.BMode[y*s.Width+x])-sg/n)/2)}
 }}
 return texture(A,G)
}
