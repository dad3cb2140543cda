{{- define "linkmill.name" -}}
{{- if contains "linkmill" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-linkmill" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels of an object: (list $ "web") */}}
{{- define "linkmill.labels" -}}
{{- $root := index . 0 -}}
{{ include "linkmill.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* Labels that select the Pods of a component: (list $ "web") */}}
{{- define "linkmill.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: linkmill
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The settings; none of them is secret. Numbers of a values file are floats, which would be written as 1e+06. */}}
{{- define "linkmill.settings" -}}
{{- $settings := dict "HOST" "" "PORT" "3000" "WORKER_PORT" "3001" "SHUTDOWN_DEADLINE_MS" "20000" -}}
{{- $_ := set $settings "BASE_URL" (required "set baseUrl to the public origin of short URLs, such as https://s.example.com" .Values.baseUrl) -}}
{{- $_ := set $settings "TRUSTED_PROXY_HOPS" .Values.trustedProxyHops -}}
{{- if .Values.trial.enabled -}}
{{- $_ := set $settings "DATABASE_URL" (printf "postgres://linkmill@%s-postgres:5432/linkmill" (include "linkmill.name" .)) -}}
{{- $_ := set $settings "REDIS_URL" (printf "redis://%s-redis:6379" (include "linkmill.name" .)) -}}
{{- end -}}
{{- range $name, $value := mergeOverwrite $settings .Values.settings }}
{{ $name }}: {{ if and (kindIs "float64" $value) (eq (floor $value) $value) }}{{ $value | int64 | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{/* Seconds that a process may take to end, and 5 more. */}}
{{- define "linkmill.graceSeconds" -}}
{{- $deadlineMs := get (include "linkmill.settings" . | fromYaml) "SHUTDOWN_DEADLINE_MS" -}}
{{ add (div (add (int64 $deadlineMs) 999) 1000) 5 }}
{{- end }}

{{/* The Secrets whose keys become environment variables. */}}
{{- define "linkmill.secrets" -}}
{{- if .Values.trial.enabled }}
- secretRef: { name: {{ include "linkmill.name" . }}-trial }
{{- end }}
- secretRef: { name: {{ .Values.existingSecret }}, optional: {{ .Values.trial.enabled }} }
{{- end }}

{{/* Where the Pods get their settings. */}}
{{- define "linkmill.env" -}}
envFrom:
  - configMapRef: { name: {{ include "linkmill.name" . }} }
  {{- include "linkmill.secrets" . | nindent 2 }}
{{- end }}

{{- define "linkmill.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{/* What all Pods share: (list $ "web") */}}
{{- define "linkmill.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: default
automountServiceAccountToken: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with $root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "linkmill.selector" (list $root (index $ 1)) | nindent 8 }}
  {{- end }}
volumes:
  - name: tmp
    emptyDir: {}
{{- end }}

{{/* Probes of a port: live for the process, ready for its stores. */}}
{{- define "linkmill.probes" -}}
startupProbe:
  httpGet: { path: /health/live, port: {{ . }} }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health/live, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /health/ready, port: {{ . }} }
  periodSeconds: 5
  timeoutSeconds: 3
{{- end }}
