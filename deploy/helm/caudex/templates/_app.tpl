{{/* Everything that one process needs: Deployment or StatefulSet, Service, volume and network policy. */}}
{{- define "caudex.app" -}}
{{- $root := .root }}
{{- $name := .name }}
{{- $app := index $root.Values.apps $name }}
{{- $fullname := printf "%s-%s" (include "caudex.fullname" $root) $name }}
{{- $scaling := and (eq $name "backend") $root.Values.autoscaling.enabled }}
{{- $several := include "caudex.several" . }}
{{- $copied := include "caudex.copied" . }}
{{- if $copied }}
{{- if or (not $app.persistence.enabled) $app.persistence.existingClaim }}
{{- fail (printf "apps.%s.persistence: each of several %s servers needs a volume of its own; set enabled to true and leave existingClaim empty" $name $name) }}
{{- end }}
{{- if and (eq $name "git") $root.Values.external.graphUrl }}
{{- fail "external.graphUrl: several git servers can't share one graph; leave it empty, so that each keeps its own" }}
{{- end }}
{{- $first := printf "data-%s-0" $fullname }}
{{- if and (lookup "v1" "PersistentVolumeClaim" $root.Release.Namespace $fullname) (not (lookup "v1" "PersistentVolumeClaim" $root.Release.Namespace $first)) }}
{{- fail (printf "apps.%s.replicas: the data of the only %s server are in the claim %s; bind its volume to a claim %s first (docs/operations.md, Several chroma and git servers)" $name $name $fullname $first) }}
{{- end }}
{{- else if $several }}
{{- if not $root.Values.database.existingSecret }}
{{- fail (printf "apps.%s.replicas: more than one needs database.existingSecret" $name) }}
{{- end }}
{{- if $app.persistence.enabled }}
{{- fail (printf "apps.%s.persistence.enabled: replicas can't share a volume; set it to false" $name) }}
{{- end }}
{{- if and (eq $name "filesystem") (not $root.Values.documents.existingClaim) (ne (get $root.Values.config "CAUDEX__STORAGE__DOCUMENTS") "s3") }}
{{- fail "apps.filesystem.replicas: more than one needs a place for documents that all share: documents.existingClaim, or config.CAUDEX__STORAGE__DOCUMENTS: s3" }}
{{- end }}
{{- end }}
{{- $documents := and (eq $name "filesystem") $root.Values.documents.existingClaim }}
{{- if and $documents (not $root.Values.database.existingSecret) }}
{{- fail "documents.existingClaim: a shared folder of documents needs database.existingSecret" }}
{{- end }}
apiVersion: apps/v1
kind: {{ ternary "StatefulSet" "Deployment" (not (empty $copied)) }}
metadata:
  name: {{ $fullname }}
  labels: {{- include "caudex.labels" . | nindent 4 }}
spec:
  {{- if not $scaling }}
  replicas: {{ default 1 $app.replicas }}
  {{- end }}
  {{- if $copied }}
  # Each has a name and a volume of its own; they are restarted one after the other.
  serviceName: {{ $fullname }}-pods
  podManagementPolicy: Parallel
  updateStrategy: { type: RollingUpdate }
  volumeClaimTemplates:
    - metadata:
        name: data
        labels: {{- include "caudex.selector" . | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $app.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources: { requests: { storage: {{ $app.persistence.size }} } }
  {{- else if $several }}
  strategy: { type: RollingUpdate, rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
  {{- else }}
  # The data folder is opened by one process at a time.
  strategy: { type: Recreate }
  {{- end }}
  selector:
    matchLabels: {{- include "caudex.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "caudex.labels" . | nindent 8 }}
      annotations:
        # Pods read the ConfigMap at their start.
        checksum/config: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "caudex.serviceAccountName" $root }}
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        fsGroup: 1000
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: {{ $name }}
          image: "{{ $root.Values.image.repository }}:{{ default $root.Chart.AppVersion $root.Values.image.tag }}"
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ $name | quote }}]
          ports:
            - { name: http, containerPort: {{ $app.port }}, protocol: TCP }
          envFrom:
            - configMapRef: { name: {{ include "caudex.fullname" $root }} }
            - secretRef: { name: {{ $root.Values.existingSecret }} }
          env:
            - { name: PORT, value: {{ $app.port | quote }} }
            - { name: DATA_DIR, value: /data }
            {{- with $root.Values.database }}
            {{- if and .existingSecret (has $name (list "backend" "auth" "billing" "filesystem")) }}
            - name: DATABASE_URL
              valueFrom: { secretKeyRef: { name: {{ .existingSecret }}, key: {{ .key }} } }
            {{- end }}
            {{- end }}
            {{- if $documents }}
            - { name: CAUDEX__STORAGE__DOCUMENTS_DIR, value: /documents }
            {{- end }}
          # Probes speak of this process alone: an outage of a dependency never restarts it or takes it out of service.
          startupProbe:
            httpGet: { path: /health/live, port: http }
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /health/live, port: http }
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /health/ready, port: http }
            periodSeconds: 3
            timeoutSeconds: 2
          resources: {{- toYaml $app.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
            {{- if $documents }}
            - { name: documents, mountPath: /documents }
            {{- end }}
      volumes:
        {{- if $documents }}
        - name: documents
          persistentVolumeClaim: { claimName: {{ $root.Values.documents.existingClaim }} }
        {{- end }}
        - name: tmp
          emptyDir: {}
        {{- if not $copied }}
        - name: data
          {{- if $app.persistence.enabled }}
          persistentVolumeClaim: { claimName: {{ default $fullname $app.persistence.existingClaim }} }
          {{- else }}
          emptyDir: {}
          {{- end }}
        {{- end }}
      {{- if $several }}
      # On different nodes where there are several.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "caudex.selector" . | nindent 14 }}
      {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}
  labels: {{- include "caudex.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  ports:
    - { name: http, port: {{ $app.port }}, targetPort: http, protocol: TCP }
  selector: {{- include "caudex.selector" . | nindent 4 }}
{{- if and $several (ne $name "backend") }}
---
# Its name has the address of every ready pod, so that the backend balances and retries by itself. Of a StatefulSet each pod
# has a name of its own below it, which a restart of the pod does not change.
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}-pods
  labels: {{- include "caudex.labels" . | nindent 4 }}
spec:
  clusterIP: None
  {{- if $copied }}
  publishNotReadyAddresses: true
  {{- end }}
  ports:
    - { name: http, port: {{ $app.port }}, targetPort: http, protocol: TCP }
  selector: {{- include "caudex.selector" . | nindent 4 }}
{{- end }}
{{- if $scaling }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $fullname }}
  labels: {{- include "caudex.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ $fullname }} }
  minReplicas: {{ $root.Values.autoscaling.minReplicas }}
  maxReplicas: {{ $root.Values.autoscaling.maxReplicas }}
  metrics:
    - type: Pods
      pods:
        metric: { name: http_server_active_requests }
        target: { type: AverageValue, averageValue: {{ $root.Values.autoscaling.activeRequests | quote }} }
{{- end }}
{{- if $several }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $fullname }}
  labels: {{- include "caudex.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "caudex.selector" . | nindent 6 }}
{{- end }}
{{- if and $app.persistence.enabled (not $app.persistence.existingClaim) (not $copied) }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ $fullname }}
  labels: {{- include "caudex.labels" . | nindent 4 }}
  annotations: { helm.sh/resource-policy: keep }
spec:
  accessModes: [ReadWriteOnce]
  {{- with $app.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources: { requests: { storage: {{ $app.persistence.size }} } }
{{- end }}
{{- if $root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $fullname }}
  labels: {{- include "caudex.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "caudex.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{ protocol: TCP, port: {{ $app.port }} }]
      {{- if ne $name "backend" }}
      from:
        - podSelector:
            matchLabels: {{- include "caudex.selector" (dict "root" $root "name" "backend") | nindent 14 }}
      {{- else }}
      {{- with $root.Values.networkPolicy.backendFrom }}
      from: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
  egress:
    - ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]
    {{- if eq $name "backend" }}
    - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: caudex
              app.kubernetes.io/instance: {{ $root.Release.Name }}
    {{- end }}
    {{- with $root.Values.networkPolicy.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
