export function StatusPage() {
  return <div className="page" />;
}
